package dev.perigee.replication.sync;

import dev.perigee.replication.freshness.CopyFreshness;
import dev.perigee.replication.state.RunRecords;
import dev.perigee.store.Store;
import java.time.InstantSource;

/// What all syncs of a replica work with.
///
/// @param runs the records of runs
/// @param maxRowBytes the size in bytes of the largest row that the replica can store
/// @param freshness is told what each copy has after its sync
record SyncContext(Store store, InstantSource clock, RunRecords runs, long maxRowBytes, CopyFreshness freshness) {}
