package dev.perigee.replication.backfill;

import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.Run;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A backfill under way: rows of one table that are fetched again into the existing copy. A row of
/// `tmp_replication_backfills`. Immutable; the methods return the next state.
///
/// @param job what was asked for; it never changes
/// @param isConfirmed whether an admin allowed it to delete as many rows as it found
/// @param progress how far it is in its phase
/// @param counts what it did to the copy so far
/// @param failures the steps that failed since the last one that succeeded
record Backfill(Job job, boolean isConfirmed, PhaseProgress progress, RowCounts counts, FailedSteps failures) {

    /// What a backfill fetches, and into which copy. Recorded once, when the backfill begins.
    ///
    /// @param name the name the table is configured by
    /// @param generation the generation of the copy when the backfill began. Once the copy has been replaced, there is
    ///     nothing left to do
    /// @param run the backfill's number in `tmp_replication_runs`
    record Job(String name, BackfillScope scope, long generation, long run, Instant startedAt) {}

    enum Phase {
        /// Rows are fetched from the source, in the order of the key.
        FETCHING,
        /// The copy's rows are searched for rows that the source does not have.
        LOOKING,
        /// The rows found are looked up at the source once more, and deleted if they are still missing there.
        DELETING
    }

    /// The phase that a backfill is in, and how far it is there.
    ///
    /// @param afterKey the last key that was fetched from the source; empty before the first
    /// @param afterRowid the rowid of the last row of the copy that was looked at; empty before the first
    /// @param rows the number of rows done in this phase
    /// @param expected the number of rows in this phase, if it is known
    record PhaseProgress(
            Phase phase,
            Optional<List<String>> afterKey,
            Optional<Long> afterRowid,
            long rows,
            Optional<Long> expected) {
        private PhaseProgress fetched(Optional<List<String>> key, long more) {
            return new PhaseProgress(phase, key, afterRowid, rows + more, expected);
        }

        private PhaseProgress lookedAt(Optional<Long> rowid, long more) {
            return new PhaseProgress(phase, afterKey, rowid, rows + more, expected);
        }

        private PhaseProgress deleted(long more) {
            return new PhaseProgress(phase, afterKey, afterRowid, rows + more, expected);
        }

        private PhaseProgress in(Phase next, Optional<Long> itsRows) {
            return new PhaseProgress(next, afterKey, afterRowid, 0, itsRows);
        }
    }

    /// The steps of a backfill that failed since the last one that succeeded.
    ///
    /// @param count how often in a row a step has failed
    /// @param error why the last step failed; empty after one that succeeded
    record FailedSteps(int count, Optional<Problem> error) {
        static final FailedSteps NONE = new FailedSteps(0, Optional.empty());
    }

    /// A backfill that begins now.
    ///
    /// @param expected the number of rows to fetch, if it is known
    static Backfill begin(Job job, Optional<Long> expected) {
        PhaseProgress none = new PhaseProgress(Phase.FETCHING, Optional.empty(), Optional.empty(), 0, expected);
        return new Backfill(job, false, none, RowCounts.NONE, FailedSteps.NONE);
    }

    /// The name the table is configured by.
    String name() {
        return job.name();
    }

    /// Its number in `tmp_replication_runs`.
    long run() {
        return job.run();
    }

    Phase phase() {
        return progress.phase();
    }

    /// The record of its run, which is still under way.
    Run asRun() {
        return Run.begin(job.run(), job.name(), Run.Kind.BACKFILL, job.startedAt())
                .recounted(counts);
    }

    /// The state after a page of rows was fetched, which ends at `key`.
    Backfill fetched(Optional<List<String>> key, long more, RowCounts page) {
        return succeeded(progress.fetched(key, more), counts.plus(page));
    }

    /// The state after `more` rows of the copy, up to `rowid`, were looked at.
    Backfill lookedAt(Optional<Long> rowid, long more) {
        return succeeded(progress.lookedAt(rowid, more), counts);
    }

    /// The state after `more` missing rows were looked up again and `deleted` of them deleted.
    Backfill deleted(long more, long deleted) {
        return succeeded(progress.deleted(more), counts.plus(new RowCounts(0, 0, deleted, 0)));
    }

    /// The state at the beginning of the phase `next`.
    ///
    /// @param itsRows the number of rows in that phase, if it is known
    Backfill in(Phase next, Optional<Long> itsRows) {
        return succeeded(progress.in(next, itsRows), counts);
    }

    private Backfill succeeded(PhaseProgress reached, RowCounts all) {
        return new Backfill(job, isConfirmed, reached, all, FailedSteps.NONE);
    }

    /// The state after an admin has confirmed the deletion.
    Backfill confirmed() {
        return new Backfill(job, true, progress, counts, FailedSteps.NONE);
    }

    /// The state after a step has failed.
    Backfill failed(Problem problem) {
        FailedSteps oneMore = new FailedSteps(failures.count() + 1, Optional.of(problem));
        return new Backfill(job, isConfirmed, progress, counts, oneMore);
    }
}
