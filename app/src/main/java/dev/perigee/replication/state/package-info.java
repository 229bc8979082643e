/// Perigee's own replication tables, with one class for each table, and the values stored in them.
///
/// Guarantee: every method works inside its caller's transaction, so that rows, cursors and run records agree after a
/// crash.
///
/// Start reading at [ReplicationTables].
@NullMarked
package dev.perigee.replication.state;

import org.jspecify.annotations.NullMarked;
