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
/// @param completeAsOf see [SyncOutcome], like the four members after it
/// @param pages number of pages ever applied; each page names the number it follows, so no page is applied after a gap
/// @param generation how often the copy was replaced by a newly filled one
/// @param isLoaded whether everything was fetched once
/// @param shadow the table that a resync is filling
/// @param textNumbers number of values of exact numeric columns that are stored as text
/// @param lastSyncAt end of the last sync that succeeded
/// @param freshAt the copy is not older than this: the start of the last sync that succeeded, or on a standby the time
///     up to which it had replayed
/// @param setAside number of rows that could not be stored
/// @param failures number of failed syncs since the last one that succeeded
/// @param backfill added columns that are not filled for all rows yet
/// @param isRecovering whether rows are still being repaired after the source went back or was replaced
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
