package dev.perigee.plugin;

import dev.perigee.sqlite.Value;
import java.util.List;
import java.util.Map;

/// One statement on its way, as hooks see it.
///
/// @param positional values for `?` and `$1`; empty when named
/// @param named values by name without the leading `:`, `@` or `$`
/// @param where the replica or the external database
public record StatementCall(
        String sql, List<Value> positional, Map<String, Value> named, Where where, Caller caller, boolean isRaw) {
    public enum Where {
        INTERNAL,
        EXTERNAL
    }

    public StatementCall {
        positional = List.copyOf(positional);
        named = Map.copyOf(named);
    }
}
