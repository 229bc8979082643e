package dev.perigee.source;

import java.util.List;
import java.util.Optional;

/// A place in a table's order `(cursor, key…)`, such as the greatest pulled, each value in the source's own lossless
/// text form. Only the source compares them, in its own types and collations.
///
/// @param cursor empty in scopes that have no cursor
/// @param key one text per key column, in key order; empty for the place before all rows with this cursor
public record HighWaterMark(Optional<String> cursor, List<String> key) {
    public HighWaterMark {
        key = List.copyOf(key);
    }
}
