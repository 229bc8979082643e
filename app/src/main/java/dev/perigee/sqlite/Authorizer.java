package dev.perigee.sqlite;

import org.jspecify.annotations.Nullable;

/// Decides which actions a statement may do. SQLite calls it while a statement is prepared, with the arguments that
/// `sqlite3_set_authorizer` describes.
@FunctionalInterface
public interface Authorizer {
    /// @param action the code SQLite passes, as in [AuthorizerAction]
    Decision authorize(
            int action,
            @Nullable String arg1,
            @Nullable String arg2,
            @Nullable String database,
            @Nullable String trigger);

    enum Decision {
        OK,
        DENY,
        IGNORE
    }
}
