/// `ReplicationPlugin`: pulls the source's tables into the replica. This package has its REST API, its events and its
/// status.
///
/// The work is done in the packages below it, each of which may use those named before it: `copy`, `state`, `drift`,
/// `sync`, `run`, `check`, `backfill`.
///
/// Start reading at [ReplicationPlugin].
@NullMarked
package dev.perigee.replication;

import org.jspecify.annotations.NullMarked;
