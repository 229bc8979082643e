/// `ReplicationPlugin`: tables, schedules, cursors, apply, and its REST API.
///
/// Guarantee: rows, the cursor that covers them and the record of the run are in one SQLite transaction.
///
/// Start reading at [ReplicationPlugin].
@NullMarked
package dev.perigee.replication;

import org.jspecify.annotations.NullMarked;
