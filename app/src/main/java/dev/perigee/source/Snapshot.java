package dev.perigee.source;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A source as it was at one moment: everything that is read through it belongs to the same state. [Source#snapshot]
/// lends it to one thread, until that method returns.
public interface Snapshot {
    /// The moment of the snapshot, to be stored and handed back later.
    Moment moment();

    /// A time by the source's clock up to which the snapshot has everything that was committed. It is not after the
    /// snapshot was taken. On a source that follows another server, it is not after what the source has received from
    /// there. Empty where the source does not know.
    default Optional<Instant> asOf() {
        return Optional.of(moment().at());
    }

    /// What was known about open transactions just before the moment.
    Horizon horizon();

    /// The position of the source's log (PostgreSQL: a WAL position), for people and proofs; empty where the source
    /// does not tell.
    Optional<String> position();

    /// The version that the snapshot shows; empty where the source cannot tell by versions whether anything changed.
    default Optional<SourceVersion> version() {
        return Optional.empty();
    }

    /// Which transactions the snapshot sees; empty where the source does not tell.
    default Optional<VisibleTransactions> visible() {
        return Optional.empty();
    }

    /// Sends the rows of `pull` to `sink`, page by page, and returns after the last one. Holds one page in memory.
    ///
    /// @return the number of rows read, including refused ones
    long pull(Pull pull, PageSink sink);

    /// How far a table may be sealed once the snapshot's moment is sealed. Usually up to `seen`. Less where `seen` is
    /// ahead of what the source itself would write, because rows with lesser values will then come for a long time.
    ///
    /// @param mark empty where nothing may be sealed
    /// @param isAhead whether somebody other than the source must have written `seen`
    record Limit(Optional<HighWaterMark> mark, boolean isAhead) {}

    Limit limit(SourceTable table, String cursorColumn, HighWaterMark seen);

    /// Which of `keys` no row of the table has. Keys outside `from` and `upTo` are not returned; both bounds are
    /// inclusive, and may be absent. The source compares the keys, as for [Scope.ByKey].
    ///
    /// @param spelled key columns in which a row's text must be the same too. Some types treat two texts as one key,
    ///     such as `a` and `A` in a `citext`; a row with the other text does not count then
    /// @param keys one text per column of `key`, at most [Scope.Keys#MAX_KEYS] keys
    /// @return the indexes of those keys in `keys`
    default List<Integer> absent(
            SourceTable table,
            List<String> key,
            Set<String> spelled,
            List<List<String>> keys,
            Optional<List<String>> from,
            Optional<List<String>> upTo) {
        throw new IllegalStateException("this source cannot compare keys");
    }

    /// The number of rows of the table, counted by the source.
    long count(SourceTable table);

    /// Counts the table's keys by bucket at the source, so that the keys need not be sent.
    ///
    /// @param keys the columns and options of a pull of the key; its scope does not matter
    /// @return empty where the source cannot write a key column as the copy stores it
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#KEY_MISSING] where a part of a key is NULL
    default Optional<KeyDigests> keyDigests(Pull keys, KeyBuckets buckets) {
        return Optional.empty();
    }

    /// Obstacles found for this table: why its changed rows cannot be told from the others, and why rows may be hidden
    /// from the source's user.
    default List<Obstacle> obstacles(SourceTable table) {
        return List.of();
    }

    /// The role whose visible rows are read, for a table that is read although the source may hide rows from it; empty
    /// where all rows are read.
    default Optional<String> viewer(SourceTable table) {
        return Optional.empty();
    }

    /// The identity of the source and of the table; empty where the source cannot tell. A source that went back to an
    /// older state is not noticed then.
    default Optional<Identity> identity(SourceTable table) {
        return Optional.empty();
    }

    /// Whether the history of this snapshot has everything that `earlier` had seen; empty where the source does not
    /// tell.
    default Optional<Boolean> continues(Identity earlier) {
        return Optional.empty();
    }

    /// Whether the table's columns in this snapshot are the ones that `table` describes.
    default boolean isAsDescribed(SourceTable table) {
        return true;
    }

    /// Whether at least one row of the table's part `part` is unchanged since `earlier`; empty where the source cannot
    /// tell.
    default Optional<Boolean> keepsRowsOf(SourceTable table, Identity earlier, long part) {
        return Optional.empty();
    }

    /// The greatest `(cursor, key…)` of the table; empty where no row has both a cursor and a whole key.
    default Optional<HighWaterMark> greatest(SourceTable table, String cursorColumn, List<String> key) {
        throw new IllegalStateException("a source with an identity must know its greatest cursor");
    }

    /// Whether every cursor of the table is less than that of `seen`; also true where no row has a cursor.
    default boolean isBehind(SourceTable table, String cursorColumn, HighWaterMark seen) {
        return false;
    }
}
