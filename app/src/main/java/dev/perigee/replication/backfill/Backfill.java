package dev.perigee.replication.backfill;

import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A backfill under way: rows of one table that are fetched again into the existing copy. A row of
/// `tmp_replication_backfills`. Immutable; the methods return the next state.
///
/// @param name the name the table is configured by
/// @param isConfirmed whether an admin allowed it to delete as many rows as it found
/// @param generation the generation of the copy when the backfill began. Once the copy has been replaced, there is
///     nothing left to do
/// @param run its number in `tmp_replication_runs`
/// @param afterKey the last key that was fetched from the source; empty before the first
/// @param afterRowid the rowid of the last row of the copy that was looked at; empty before the first
/// @param rows the number of rows done in this phase
/// @param expected the number of rows in this phase, if it is known
/// @param failures how often in a row a step has failed
/// @param error why the last step failed; empty after one that succeeded
record Backfill(
        String name,
        BackfillScope scope,
        Phase phase,
        boolean isConfirmed,
        long generation,
        long run,
        Instant startedAt,
        Optional<List<String>> afterKey,
        Optional<Long> afterRowid,
        long rows,
        Optional<Long> expected,
        RowCounts counts,
        int failures,
        Optional<Problem> error) {

    enum Phase {
        /// Rows are fetched from the source, in the order of the key.
        FETCHING,
        /// The copy's rows are searched for rows that the source does not have.
        LOOKING,
        /// The rows found are looked up at the source once more, and deleted if they are still missing there.
        DELETING
    }

    /// The state after a page of rows was fetched, which ends at `key`.
    Backfill fetched(Optional<List<String>> key, long more, RowCounts page) {
        return new Backfill(
                name,
                scope,
                phase,
                isConfirmed,
                generation,
                run,
                startedAt,
                key,
                afterRowid,
                rows + more,
                expected,
                counts.plus(page),
                0,
                Optional.empty());
    }

    /// The state after `more` rows of the copy, up to `rowid`, were looked at.
    Backfill lookedAt(Optional<Long> rowid, long more) {
        return new Backfill(
                name,
                scope,
                phase,
                isConfirmed,
                generation,
                run,
                startedAt,
                afterKey,
                rowid,
                rows + more,
                expected,
                counts,
                0,
                Optional.empty());
    }

    /// The state after `more` missing rows were looked up again and `deleted` of them deleted.
    Backfill deleted(long more, long deleted) {
        return new Backfill(
                name,
                scope,
                phase,
                isConfirmed,
                generation,
                run,
                startedAt,
                afterKey,
                afterRowid,
                rows + more,
                expected,
                counts.plus(new RowCounts(0, 0, deleted, 0)),
                0,
                Optional.empty());
    }

    /// The state at the beginning of the phase `next`.
    ///
    /// @param itsRows the number of rows in that phase, if it is known
    Backfill in(Phase next, Optional<Long> itsRows) {
        return new Backfill(
                name,
                scope,
                next,
                isConfirmed,
                generation,
                run,
                startedAt,
                afterKey,
                afterRowid,
                0,
                itsRows,
                counts,
                0,
                Optional.empty());
    }

    /// The state after an admin has confirmed the deletion.
    Backfill confirmed() {
        return new Backfill(
                name,
                scope,
                phase,
                true,
                generation,
                run,
                startedAt,
                afterKey,
                afterRowid,
                rows,
                expected,
                counts,
                0,
                Optional.empty());
    }

    /// The state after a step has failed.
    Backfill failed(Problem problem) {
        return new Backfill(
                name,
                scope,
                phase,
                isConfirmed,
                generation,
                run,
                startedAt,
                afterKey,
                afterRowid,
                rows,
                expected,
                counts,
                failures + 1,
                Optional.of(problem));
    }
}
