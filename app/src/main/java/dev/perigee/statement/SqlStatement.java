package dev.perigee.statement;

import dev.perigee.sqlite.Value;
import java.util.List;
import java.util.Map;

/// One SQL statement with its parameter values, for the replica or for a source.
///
/// @param positional values for `?`, `?1` and `$1`; empty when they are named
/// @param named values by name without the leading `:`, `@` or `$`
public record SqlStatement(String sql, List<Value> positional, Map<String, Value> named) {
    public SqlStatement {
        positional = List.copyOf(positional);
        named = Map.copyOf(named);
    }

    public static SqlStatement of(String sql, Value... positional) {
        return new SqlStatement(sql, List.of(positional), Map.of());
    }
}
