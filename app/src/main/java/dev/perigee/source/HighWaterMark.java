package dev.perigee.source;

import java.util.List;
import java.util.Optional;

/// The greatest `(cursor, key…)` pulled from a table, each value in the source's own lossless text form. Only the
/// source
/// compares them, in its own types and collations.
///
/// @param cursor empty in the pass over rows whose cursor is NULL
/// @param key one text per key column, in key order
public record HighWaterMark(Optional<String> cursor, List<String> key) {
    public HighWaterMark {
        key = List.copyOf(key);
    }
}
