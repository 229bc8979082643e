/// `ReplicationPlugin`: pulls the source's tables into the replica; its REST API, its events and its status.
///
/// The work is done in the rooms beside this file, from the bottom: `copy`, `state`, `drift`, `sync`, `run`, `check`,
/// `backfill`.
///
/// Start reading at [ReplicationPlugin].
@NullMarked
package dev.perigee.replication;

import org.jspecify.annotations.NullMarked;
