package dev.perigee.source;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A source as it was at one moment: all that is read through it belongs together. Lent by [Source#snapshot], for one
/// thread, until that returns.
public interface Snapshot {
    /// The moment, to be remembered and handed back later.
    Moment moment();

    /// A time by the source's clock at which all that was committed is in the snapshot: not after it was taken, and on
    /// a source that follows another one not after what it has of that. Empty where it does not know.
    default Optional<Instant> asOf() {
        return Optional.of(moment().at());
    }

    /// What was known of open transactions just before the moment.
    Horizon horizon();

    /// Where the source's log stood (PostgreSQL: a WAL position), for people and proofs; empty where it does not say.
    Optional<String> position();

    /// Sends the rows asked for to `sink`, page by page, and returns when nothing is left. Holds one page in memory.
    ///
    /// @return rows sent
    long pull(Pull pull, PageSink sink);

    /// How far a table may be sealed once the moment is: up to `seen`, or less where `seen` is ahead of what the source
    /// would write itself, since rows with lesser values then come for a long time yet.
    ///
    /// @param mark empty where nothing may be sealed
    /// @param isAhead whether somebody else than the source must have written `seen`
    record Limit(Optional<HighWaterMark> mark, boolean isAhead) {}

    Limit limit(SourceTable table, String cursorColumn, HighWaterMark seen);

    /// Which of `keys` belong to no row of the table, though they lie between `from` and `upTo`, both included, where
    /// those are given. Compared by the source, as [Scope.ByKey] does.
    ///
    /// @param spelled columns of the key in which a row's text counts too: where the source takes two texts for the
    ///     same key, as `a` and `A` in a `citext`, a row that has only the other one is not the key's
    /// @param keys one text per column of `key`, at most [Scope.Keys#MAX_KEYS] of them
    /// @return their indexes in `keys`
    default List<Integer> absent(
            SourceTable table,
            List<String> key,
            Set<String> spelled,
            List<List<String>> keys,
            Optional<List<String>> from,
            Optional<List<String>> upTo) {
        throw new IllegalStateException("this source compares no keys");
    }

    /// Rows of the table, counted by the source.
    long count(SourceTable table);

    /// Counts the table's keys by bucket, at the source, so that they need not be sent.
    ///
    /// @param keys the columns and options of a pull of the key; its scope does not matter
    /// @return empty where the source cannot write some key column as the copy stores it
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#KEY_MISSING] where a part of a key is NULL
    default Optional<KeyDigests> keyDigests(Pull keys, KeyBuckets buckets) {
        return Optional.empty();
    }

    /// What was found to stand in the way of finding the table's changed rows.
    default List<Obstacle> obstacles(SourceTable table) {
        return List.of();
    }

    /// The role whose sight the table's rows are of, where the source may hide others from it; empty where all rows are
    /// read.
    default Optional<String> viewer(SourceTable table) {
        return Optional.empty();
    }

    /// Who the source is and what the table is there; empty where the source cannot say, and then a source that went
    /// back is not noticed.
    default Optional<Identity> identity(SourceTable table) {
        return Optional.empty();
    }

    /// Whether all that `earlier` had seen is in the history of this snapshot; empty where the source does not say.
    default Optional<Boolean> continues(Identity earlier) {
        return Optional.empty();
    }

    /// Whether the table has the columns in this snapshot that were described before it.
    default boolean isAsDescribed(SourceTable table) {
        return true;
    }

    /// Whether a row of the table's part `part` is still there as it was at `earlier`; empty where nobody can tell.
    default Optional<Boolean> keepsRowsOf(SourceTable table, Identity earlier, long part) {
        return Optional.empty();
    }

    /// The greatest `(cursor, key…)` of the table; empty where no row has a cursor.
    default Optional<HighWaterMark> greatest(SourceTable table, String cursorColumn, List<String> key) {
        throw new IllegalStateException("a source that knows who it is knows this too");
    }

    /// Whether no row has a cursor as great as that of `seen`.
    default boolean isBehind(SourceTable table, String cursorColumn, HighWaterMark seen) {
        return false;
    }
}
