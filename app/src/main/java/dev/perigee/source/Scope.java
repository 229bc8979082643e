package dev.perigee.source;

import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/// Which rows of a table a [Pull] wants, and in which order they come.
///
/// `changedSince` is a [Moment#mark] of the same source: only rows that may have changed after that moment are wanted.
/// A source may send more than those, never fewer; without it all rows are wanted.
public sealed interface Scope {
    /// Rows greater than `mark`, in the order `(cursor, key…)`; all rows that have a cursor where there is no mark.
    record After(String cursorColumn, Optional<HighWaterMark> mark) implements Scope {}

    /// Rows whose cursor is NULL, in the order of the key.
    record NullCursor(String cursorColumn, Optional<String> changedSince) implements Scope {}

    /// Rows that came late: greater than `sealed` and not greater than `seen`, in the order `(cursor, key…)`.
    record Late(String cursorColumn, Optional<HighWaterMark> sealed, HighWaterMark seen, Optional<String> changedSince)
            implements Scope {}

    /// Rows in the order they lie in, whatever their cursor is.
    record Changed(Optional<String> changedSince) implements Scope {}

    /// Rows in the order of the key, greater than `after` and not greater than `upTo`, where those are given: one text
    /// per key column, in the source's form.
    record ByKey(Optional<List<String>> after, Optional<List<String>> upTo) implements Scope {}

    /// The rows whose keys are in these buckets, in any order. For sources that answer [Snapshot#keyDigests] only.
    record InBuckets(KeyBuckets buckets, BitSet wanted) implements Scope {
        public InBuckets {
            wanted = (BitSet) wanted.clone();
        }

        @Override
        public BitSet wanted() {
            return (BitSet) wanted.clone();
        }
    }

    /// All rows of some parts of the table, numbered as in [Identity#storage], in any order.
    record Parts(List<Long> parts) implements Scope {
        public Parts {
            parts = List.copyOf(parts);
        }
    }
    /// At most `maxRows` rows in the order of the key, from `from` on and up to `upTo`, where those are given.
    ///
    /// @param isFromIncluded whether the row at `from` is wanted too
    record KeyChunk(Optional<List<String>> from, boolean isFromIncluded, Optional<List<String>> upTo, int maxRows)
            implements Scope {}

    /// The rows that have a NULL in their key: nothing can tell them apart, so a sink is only told of each as refused.
    /// No other scope has them.
    record NullKey() implements Scope {}

    /// Keys that more than one row has, each once, in any order; the pull has no columns but the key's.
    ///
    /// @param maxKeys of them at most
    record SharedKeys(int maxKeys) implements Scope {}

    /// The rows with these keys, as far as they are there, in any order.
    ///
    /// @param keys one text per key column, at most [#MAX_KEYS] of them
    record Keys(List<List<String>> keys) implements Scope {
        /// Keys asked for in one statement at most.
        public static final int MAX_KEYS = 500;

        public Keys {
            keys = List.copyOf(keys);
            if (keys.isEmpty() || keys.size() > MAX_KEYS) {
                throw new IllegalArgumentException(keys.size() + " keys, expected 1 to " + MAX_KEYS);
            }
        }
    }
}
