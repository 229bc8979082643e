package dev.perigee.statement;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// One statement on its way, as hooks see it.
///
/// @param positional values for `?` and `$1`; empty when named
/// @param named values by name without the leading `:`, `@` or `$`
/// @param where the replica or the external database
public record StatementCall(
        String sql, List<Value> positional, Map<String, Value> named, Where where, Caller caller, boolean isRaw) {
    public enum Where {
        INTERNAL,
        EXTERNAL;

        /// Where a request's statements run by its `X-Starbase-Source`; the word of the query string counts where the
        /// header is not there.
        ///
        /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] for another word
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
}
