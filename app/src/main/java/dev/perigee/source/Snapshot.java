package dev.perigee.source;

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

    /// Rows of the table, counted by the source.
    long count(SourceTable table);

    /// Counts the table's keys by bucket, at the source, so that they need not be sent.
    ///
    /// @param keys the columns and options of a pull of the key; its scope does not matter
    /// @return empty where the source cannot write some key column as the copy stores it
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#KEY_MISSING] where a part of a key is
    ///     NULL
    default Optional<KeyDigests> keyDigests(Pull keys, KeyBuckets buckets) {
        return Optional.empty();
    }

    /// A word that stays the same as long as the table is neither replaced by another of its name nor emptied at one
    /// stroke; it may change without that. Empty where the source has none.
    default Optional<String> identity(SourceTable table) {
        return Optional.empty();
    }
}
