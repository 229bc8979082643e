/// Perigee's own tables of replication, one class for each, and the values that they hold.
///
/// Guarantee: every method works inside its caller's transaction, so that rows, cursors and records agree after a
/// crash.
///
/// Start reading at [ReplicationTables].
@NullMarked
package dev.perigee.replication.state;

import org.jspecify.annotations.NullMarked;
