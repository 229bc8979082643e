package dev.perigee.replication.state;

import dev.perigee.replication.copy.RowCounts;
import java.time.Instant;
import java.util.Optional;

/// A row of `tmp_replication_runs`: one sync, resync, sweep or backfill of one table.
///
/// @param table the configured name of the table
/// @param note what else happened, such as a change of the source's definition that the copy followed
public record Run(long id, String table, Kind kind, Instant startedAt, Work work, End end, Optional<String> note) {

    /// What a run has done so far.
    ///
    /// @param pages number of pages committed
    /// @param cursor the copy's cursor value after the last committed page
    public record Work(RowCounts counts, long pages, Optional<String> cursor) {
        static final Work NONE = new Work(RowCounts.NONE, 0, Optional.empty());

        private Work plus(RowCounts more, long morePages, Optional<String> mark) {
            return new Work(counts.plus(more), pages + morePages, mark.isPresent() ? mark : cursor);
        }
    }

    /// How a run ended.
    ///
    /// @param at empty while the run is under way
    public record End(Outcome outcome, Optional<Instant> at, Optional<Problem> error) {
        static final End NONE = new End(Outcome.RUNNING, Optional.empty(), Optional.empty());
    }

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
        return new Run(id, table, kind, at, Work.NONE, End.NONE, Optional.empty());
    }

    /// The same run after another page.
    ///
    /// @param mark the cursor value at the page's end; empty where the page does not move the cursor
    public Run after(RowCounts page, Optional<String> mark) {
        return with(work.plus(page, 1, mark));
    }

    /// The same run after its stage was merged into the copy.
    public Run counted(RowCounts merged, Optional<String> mark) {
        return with(work.plus(merged, 0, mark));
    }

    /// The same run with other counts.
    public Run recounted(RowCounts otherwise) {
        return with(new Work(otherwise, work.pages, work.cursor));
    }

    public Run finished(Outcome how, Instant at, Optional<Problem> problem) {
        return new Run(id, table, kind, startedAt, work, new End(how, Optional.of(at), problem), note);
    }

    public Run noted(Optional<String> what) {
        return new Run(id, table, kind, startedAt, work, end, what);
    }

    private Run with(Work done) {
        return new Run(id, table, kind, startedAt, done, end, note);
    }

    public long durationMs(Instant until) {
        return Math.max(0, until.toEpochMilli() - startedAt.toEpochMilli());
    }
}
