package dev.perigee.replication.state;

import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.source.HighWaterMark;
import java.time.Instant;
import java.util.Optional;

/// A row of `tmp_replication_state`: where a copy stands. The columns are explained in `docs/format/`.
///
/// @param name the name the table is configured by
/// @param outcome what the last sync that succeeded has shown
public record TableState(String name, Copy copy, Pulled pulled, SyncOutcome outcome, Gaps gaps, Syncs syncs) {

    /// The table in the replica.
    ///
    /// @param target the copy's name; empty until it is made
    /// @param definition how the copy was made; empty where that is not known
    /// @param shadow the table that a resync is filling
    /// @param generation how often the copy was replaced by a newly filled one
    /// @param isLoaded whether everything was fetched once
    /// @param needsResync whether the next sync fetches everything again
    /// @param rows number of rows
    /// @param textNumbers number of values of exact numeric columns that are stored as text
    public record Copy(
            Optional<String> target,
            Optional<CopyDefinition> definition,
            Optional<String> shadow,
            long generation,
            boolean isLoaded,
            boolean needsResync,
            long rows,
            long textNumbers) {}

    /// How far the source was pulled.
    ///
    /// @param cursor the greatest mark pulled
    /// @param pages number of pages ever applied; each page names the number it follows, so no page is applied after a
    ///     gap
    /// @param rows number of rows ever pulled
    public record Pulled(Optional<HighWaterMark> cursor, long pages, long rows) {}

    /// What the copy lacks although its syncs succeed.
    ///
    /// @param backfill added columns that are not filled for all rows yet
    /// @param isRecovering whether rows are still being repaired after the source went back or was replaced
    /// @param setAside number of rows that could not be stored
    public record Gaps(Optional<ColumnBackfill> backfill, boolean isRecovering, long setAside) {}

    /// When the table was synced and will be synced, and whether that fails.
    ///
    /// @param lastAt end of the last sync that succeeded
    /// @param freshAt the copy is not older than this: the start of the last sync that succeeded, or on a standby the
    ///     time up to which it had replayed
    /// @param nextAt when the next sync is due
    /// @param failures number of failed syncs since the last one that succeeded
    /// @param error why the last sync failed
    public record Syncs(
            Optional<Instant> lastAt,
            Optional<Instant> freshAt,
            Optional<Instant> nextAt,
            int failures,
            Optional<Problem> error,
            Optional<Instant> errorAt) {
        private Syncs freshAt(Instant fresh) {
            return new Syncs(lastAt, Optional.of(fresh), nextAt, failures, error, errorAt);
        }
    }

    /// The same state, with a later time up to which the copy has everything.
    ///
    /// @param complete see [SyncOutcome#completeAsOf]
    /// @param fresh see [Syncs#freshAt]
    public TableState asOf(Instant complete, Instant fresh) {
        return new TableState(name, copy, pulled, outcome.asOf(complete), gaps, syncs.freshAt(fresh));
    }

    /// The copy's name; empty until it is made.
    public Optional<String> target() {
        return copy.target();
    }

    /// How the copy was made; empty where that is not known.
    public Optional<CopyDefinition> definition() {
        return copy.definition();
    }
}
