package dev.perigee.source;

import java.util.List;
import java.util.Optional;

/// A place in a table's order `(cursor, key…)`, for example that of the greatest row pulled so far. Each value is in
/// the source's own lossless text form. Only the source compares marks, in its own types and collations.
///
/// @param cursor empty in scopes that have no cursor
/// @param key one text per key column, in key order; empty for the place before all rows with this cursor
public record HighWaterMark(Optional<String> cursor, List<String> key) {
    public HighWaterMark {
        key = List.copyOf(key);
    }
}
