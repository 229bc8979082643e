package dev.perigee.source;

import java.util.List;
import java.util.Optional;

/// A source as it was at one moment: all that is read through it belongs together. Lent by [Source#snapshot], for one
/// thread, until that returns.
public interface Snapshot {
    /// The moment, to be remembered and handed back later.
    Moment moment();

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
    /// @param keys one text per column of `key`, at most [Scope.Keys#MAX_KEYS] of them
    /// @return their indexes in `keys`
    default List<Integer> absent(
            SourceTable table,
            List<String> key,
            List<List<String>> keys,
            Optional<List<String>> from,
            Optional<List<String>> upTo) {
        throw new UnsupportedOperationException("this source compares no keys");
    }

    /// Rows of the table, counted by the source.
    long count(SourceTable table);
}
