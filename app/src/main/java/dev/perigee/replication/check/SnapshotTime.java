package dev.perigee.replication.check;

import dev.perigee.source.Snapshot;
import java.time.Instant;
import java.util.Optional;

/// When the snapshot of the source was taken that a check compared with.
///
/// @param asOf the time of the source's snapshot, by the source's clock; empty if none was taken
/// @param position where the source's log stood at the snapshot
record SnapshotTime(Optional<Instant> asOf, Optional<String> position) {
    /// No snapshot was taken.
    static final SnapshotTime NONE = new SnapshotTime(Optional.empty(), Optional.empty());

    static SnapshotTime of(Snapshot snapshot) {
        return new SnapshotTime(snapshot.asOf(), snapshot.position());
    }
}
