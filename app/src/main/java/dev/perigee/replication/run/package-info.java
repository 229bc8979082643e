/// The set of replicated tables: their settings, when each is due, and one task at a time on each copy.
///
/// Guarantee: syncs of one table never overlap, and at most `parallelTables` tables use the source at once.
///
/// Start reading at [Tables].
@NullMarked
package dev.perigee.replication.run;

import org.jspecify.annotations.NullMarked;
