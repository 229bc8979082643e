package dev.perigee.replication.state;

import dev.perigee.source.Horizon;
import dev.perigee.source.Obstacle;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Where a table stands after a sync that succeeded.
///
/// @param completeAsOf [dev.perigee.source.Snapshot#asOf]; empty where the sync did not look for rows that came late.
///     In a [TableState], that of the last sync that did
/// @param position where the source's log stood, in the source's own words
/// @param guarantee see [Guarantee]; empty until a sync has succeeded
/// @param heldBy the oldest open transaction, which keeps the table from being sealed; empty where all is sealed
/// @param isClientSeen whether a cursor value was ever ahead of the source's own clock or sequence
/// @param obstacles why the source had to read more than the rows that changed
public record SyncOutcome(
        Sealing sealing,
        Optional<Instant> completeAsOf,
        Optional<String> position,
        Optional<String> guarantee,
        Optional<Horizon.Holder> heldBy,
        boolean isClientSeen,
        List<Obstacle> obstacles) {
    SyncOutcome asOf(Instant complete) {
        return new SyncOutcome(sealing, Optional.of(complete), position, guarantee, heldBy, isClientSeen, obstacles);
    }
}
