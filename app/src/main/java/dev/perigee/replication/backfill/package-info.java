/// Rows fetched again on demand, with their routes and tables.
///
/// Guarantee: a backfill survives restarts, and ends only when it is done or cancelled.
///
/// Start reading at [Backfills].
@NullMarked
package dev.perigee.replication.backfill;

import org.jspecify.annotations.NullMarked;
