package dev.perigee.source;

import dev.perigee.sqlite.Value;
import java.util.List;
import java.util.Map;

/// A statement for a source, with its values.
///
/// @param positional for `?` or `$1`; empty when named
/// @param named for `:name`
public record SqlStatement(String sql, List<Value> positional, Map<String, Value> named) {
    public SqlStatement {
        positional = List.copyOf(positional);
        named = Map.copyOf(named);
    }
}
