package dev.perigee.replication.state;

import dev.perigee.replication.copy.RowCounts;
import java.time.Instant;
import java.util.Optional;

/// A row of `tmp_replication_runs`: one sync of one table.
///
/// @param table the name it is configured by
/// @param finishedAt empty while it runs
/// @param cursor where the copy stood after its last committed page
/// @param note what else happened, such as a change of the source's definition that it followed
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
        /// What is new since the cursor.
        SYNC,
        /// Everything, into a fresh copy.
        RESYNC,
        /// Rows that are gone at the source, see [dev.perigee.replication.check.SweepRun].
        SWEEP,
        /// Some rows or all of them again, into the copy as it stands.
        BACKFILL
    }

    public enum Outcome {
        RUNNING,
        OK,
        FAILED,
        /// Perigee stopped, or the table was paused or removed, at a page's end.
        STOPPED,
        /// The process ended in the middle; the pages before are there.
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

    /// The same run with rows that were gathered before.
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

    /// The same run, its rows counted another way.
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
