package dev.perigee.replication.state;

import dev.perigee.source.Horizon;
import dev.perigee.source.Obstacle;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// How far a sync that succeeded brought a table.
///
/// @param completeAsOf [dev.perigee.source.Snapshot#asOf]; empty where rows that came late were not looked for
/// @param position where the source's log stood
/// @param guarantee see [Guarantee]
/// @param heldBy the transaction that keeps the table from being sealed
/// @param isClientSeen whether a cursor value was ever ahead of what the source itself would have written
/// @param obstacles why the source had to read more than the rows that changed
public record SyncOutcome(
        Sealing sealing,
        Optional<Instant> completeAsOf,
        Optional<String> position,
        String guarantee,
        Optional<Horizon.Holder> heldBy,
        boolean isClientSeen,
        List<Obstacle> obstacles) {}
