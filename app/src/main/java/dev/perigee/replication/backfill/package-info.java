/// Backfills: fetches rows of a table again on demand, with the routes and tables for that.
///
/// Guarantee: a backfill survives restarts. It ends only when it is done or cancelled, or when its table is removed or
/// all its rows are fetched again.
///
/// Start reading at [Backfills].
@NullMarked
package dev.perigee.replication.backfill;

import org.jspecify.annotations.NullMarked;
