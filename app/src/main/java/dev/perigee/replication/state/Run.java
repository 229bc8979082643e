package dev.perigee.replication.state;

import dev.perigee.replication.copy.RowCounts;
import java.time.Instant;
import java.util.Optional;

/// A row of `tmp_replication_runs`: one sync, resync, sweep or backfill of one table.
///
/// @param table the configured name of the table
/// @param finishedAt empty while the run is under way
/// @param cursor the copy's cursor value after the last committed page
/// @param note what else happened, such as a change of the source's definition that the copy followed
public record Run(
        long id,
        String table,
        Kind kind,
        Outcome outcome,
        Instant startedAt,
        Optional<Instant> finishedAt,
        RowCounts counts,
        long pages,
        Optional<String> cursor,
        Optional<Problem> error,
        Optional<String> note) {

    /// What was asked for.
    public enum Kind {
        /// Pulls what is new since the cursor.
        SYNC,
        /// Pulls everything into a shadow, which then replaces the copy.
        RESYNC,
        /// Removes rows that are gone at the source, see [dev.perigee.replication.check.SweepRun].
        SWEEP,
        /// Fetches some or all rows again, into the copy as it stands.
        BACKFILL
    }

    public enum Outcome {
        RUNNING,
        OK,
        FAILED,
        /// Ended at a page's end because Perigee stopped, or because the table was paused or removed.
        STOPPED,
        /// The process ended during the run. The pages committed before stay.
        INTERRUPTED
    }

    /// A run that begins now.
    public static Run begin(long id, String table, Kind kind, Instant at) {
        return new Run(
                id,
                table,
                kind,
                Outcome.RUNNING,
                at,
                Optional.empty(),
                RowCounts.NONE,
                0,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /// The same run after another page.
    ///
    /// @param mark the cursor value at the page's end; empty where the page does not move the cursor
    public Run after(RowCounts page, Optional<String> mark) {
        return new Run(
                id,
                table,
                kind,
                outcome,
                startedAt,
                finishedAt,
                counts.plus(page),
                pages + 1,
                mark.isPresent() ? mark : cursor,
                error,
                note);
    }

    /// The same run after its stage was merged into the copy.
    public Run counted(RowCounts merged, Optional<String> mark) {
        return new Run(
                id,
                table,
                kind,
                outcome,
                startedAt,
                finishedAt,
                counts.plus(merged),
                pages,
                mark.isPresent() ? mark : cursor,
                error,
                note);
    }

    /// The same run with other counts.
    public Run recounted(RowCounts otherwise) {
        return new Run(id, table, kind, outcome, startedAt, finishedAt, otherwise, pages, cursor, error, note);
    }

    public Run finished(Outcome how, Instant at, Optional<Problem> problem) {
        return new Run(id, table, kind, how, startedAt, Optional.of(at), counts, pages, cursor, problem, note);
    }

    public Run noted(Optional<String> what) {
        return new Run(id, table, kind, outcome, startedAt, finishedAt, counts, pages, cursor, error, what);
    }

    public long durationMs(Instant until) {
        return Math.max(0, until.toEpochMilli() - startedAt.toEpochMilli());
    }
}
