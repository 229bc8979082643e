package dev.perigee.source;

import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/// Which rows of a table a [Pull] reads, and in which order they come.
///
/// `changedSince` is a [Moment#mark] of the same source: only rows that may have changed after that moment are wanted.
/// A source may send more rows than those, never fewer. Without it, all rows of the scope are wanted.
public sealed interface Scope {
    /// Rows greater than `mark`, in the order `(cursor, key…)`. Without a mark: all rows whose cursor is not NULL.
    record After(String cursorColumn, Optional<HighWaterMark> mark) implements Scope {}

    /// Rows whose cursor is NULL, in the order of the key.
    record NullCursor(String cursorColumn, Optional<String> changedSince) implements Scope {}

    /// Rows that came late: greater than `sealed` and not greater than `seen`, in the order `(cursor, key…)`.
    record Late(String cursorColumn, Optional<HighWaterMark> sealed, HighWaterMark seen, Optional<String> changedSince)
            implements Scope {}

    /// Rows in the order in which the source stores them, whatever their cursor is.
    record Changed(Optional<String> changedSince) implements Scope {}

    /// Rows that only one of two conditions holds for: the slice of the table ([SourceTable.Access#slice]), and
    /// `before`. Without a slice, or without `before`, that one holds for all rows. The rows come in any order, and
    /// those outside the slice as [Pull#sendingLeaving] says.
    record Rescoped(Optional<Expression> before) implements Scope {}

    /// Rows in the order of the key, greater than `after` and not greater than `upTo`, where these are present. Each
    /// bound is one text per key column, in the source's text form.
    record ByKey(Optional<List<String>> after, Optional<List<String>> upTo) implements Scope {}

    /// Rows whose keys are in the buckets `wanted`, in any order. Only for sources that answer [Snapshot#keyDigests].
    record InBuckets(KeyBuckets buckets, BitSet wanted) implements Scope {
        public InBuckets {
            wanted = (BitSet) wanted.clone();
        }

        @Override
        public BitSet wanted() {
            return (BitSet) wanted.clone();
        }
    }

    /// All rows of some parts of the table, in any order. Parts have the numbers of [Identity#storage].
    record Parts(List<Long> parts) implements Scope {
        public Parts {
            parts = List.copyOf(parts);
        }
    }
    /// At most `maxRows` rows in the order of the key, from `from` up to and including `upTo`, where these are present.
    ///
    /// @param isFromIncluded whether the row at `from` is wanted too
    record KeyChunk(Optional<List<String>> from, boolean isFromIncluded, Optional<List<String>> upTo, int maxRows)
            implements Scope {}

    /// Rows with a NULL in their key. Nothing can tell such rows apart, so a sink gets each of them as refused. No
    /// other scope includes them.
    record NullKey() implements Scope {}

    /// Keys that more than one row has, each key once, in any order. The pull has no columns but the key's.
    ///
    /// @param maxKeys the most keys to send
    record SharedKeys(int maxKeys) implements Scope {}

    /// Rows with these keys, as far as they exist, in any order.
    ///
    /// @param keys one text per key column, at most [#MAX_KEYS] keys
    record Keys(List<List<String>> keys) implements Scope {
        /// The most keys in one statement.
        public static final int MAX_KEYS = 500;

        public Keys {
            keys = List.copyOf(keys);
            if (keys.isEmpty() || keys.size() > MAX_KEYS) {
                throw new IllegalArgumentException(keys.size() + " keys, expected 1 to " + MAX_KEYS);
            }
        }
    }
}
