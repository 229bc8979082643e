package dev.perigee.replication.state;

import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Obstacle;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A row of `tmp_replication_state`: where a copy stands. The columns are explained in `docs/format/`.
///
/// @param target the copy's name; empty until it is made
/// @param completeAsOf see [SyncOutcome], as the members after it
/// @param pages pages applied ever; each page names the number it follows, so none is applied after a gap
/// @param generation how often the copy was replaced by a fresh one
/// @param isLoaded whether everything was fetched once
/// @param shadow the table a resync is filling
/// @param textNumbers values of exact numeric columns that came as text
/// @param lastSyncAt end of the last sync that succeeded
/// @param freshAt start of the last sync that succeeded, of a standby the time up to which it had replayed: the copy is
///     not older
/// @param setAside rows that could not be stored
/// @param failures failed syncs since the last one that succeeded
/// @param backfill columns that were added and are not whole yet
/// @param isRecovering whether rows are still being mended after the source went back
/// @param obstacles see [SyncOutcome]
public record TableState(
        String name,
        Optional<String> target,
        Optional<CopyDefinition> definition,
        Optional<HighWaterMark> cursor,
        Sealing sealing,
        Optional<Instant> completeAsOf,
        Optional<String> position,
        Optional<String> guarantee,
        Optional<Horizon.Holder> heldBy,
        boolean isClientSeen,
        long pages,
        long generation,
        boolean isLoaded,
        boolean needsResync,
        Optional<String> shadow,
        long rowCount,
        long rowsPulled,
        long textNumbers,
        Optional<Instant> lastSyncAt,
        Optional<Instant> freshAt,
        Optional<Instant> nextSyncAt,
        int failures,
        Optional<Problem> error,
        Optional<Instant> errorAt,
        Optional<ColumnBackfill> backfill,
        boolean isRecovering,
        long setAside,
        List<Obstacle> obstacles) {}
