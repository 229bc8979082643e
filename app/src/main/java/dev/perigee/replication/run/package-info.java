/// Which tables are replicated, when each is due, and that one thing at a time is done to each.
///
/// Guarantee: syncs of one table never overlap, and at most `parallelTables` tables use the source at once.
///
/// Start reading at [Tables].
@NullMarked
package dev.perigee.replication.run;

import org.jspecify.annotations.NullMarked;
