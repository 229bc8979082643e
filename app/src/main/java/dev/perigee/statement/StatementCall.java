package dev.perigee.statement;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// One statement before it runs, as hooks see it.
///
/// @param positional values for `?`, `?1` and `$1`; empty if values are named
/// @param named values by name, without the leading `:`, `@` or `$`; empty if values are positional
/// @param where whether it runs on the replica or on the external database
/// @param isRaw whether the answer keeps columns separate from rows
public record StatementCall(
        String sql, List<Value> positional, Map<String, Value> named, Where where, Caller caller, boolean isRaw) {
    public enum Where {
        INTERNAL,
        EXTERNAL;

        /// Where a request's statements run: its header `X-Starbase-Source`, or the query string's `source` if the
        /// header is missing. The replica if both are.
        ///
        /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] for an unknown word
        public static Where of(Optional<String> header, Optional<String> query) {
            String text = header.or(() -> query).orElse("internal");
            return switch (text.strip().toLowerCase(Locale.ROOT)) {
                case "internal", "" -> INTERNAL;
                case "external", "hyperdrive" -> EXTERNAL;
                default ->
                    throw Fault.INVALID_REQUEST.saying("X-Starbase-Source must be internal, external or hyperdrive.");
            };
        }
    }

    public StatementCall {
        positional = List.copyOf(positional);
        named = Map.copyOf(named);
    }

    /// The same statement in another place.
    public StatementCall with(Where other) {
        return where == other ? this : new StatementCall(sql, positional, named, other, caller, isRaw);
    }
}
