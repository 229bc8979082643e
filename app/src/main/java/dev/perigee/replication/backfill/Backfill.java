package dev.perigee.replication.backfill;

import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A row of `tmp_replication_backfills`: rows of one table that are being fetched again, into the copy as it stands.
///
/// @param name the table, as it is configured
/// @param isConfirmed whether an admin allowed it to delete as much as it found
/// @param generation of the copy when it began: once another copy has taken its place there is nothing left to do
/// @param run its number in `tmp_replication_runs`
/// @param afterKey the last key that was fetched
/// @param afterRowid the last row of the copy that was looked at
/// @param rows done in this phase
/// @param expected rows of this phase, where that is known
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
        /// The source's rows are fetched, in the order of the key.
        FETCHING,
        /// The copy's rows are looked through for those that the source does not have.
        LOOKING,
        /// Those are looked for once more, and deleted.
        DELETING
    }

    /// After a page of rows, which ends at `key`.
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

    /// After more rows of the copy, up to `rowid`, were looked at.
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

    /// The next phase begins.
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
