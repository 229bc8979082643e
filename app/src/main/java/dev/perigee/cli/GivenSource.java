package dev.perigee.cli;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.SourceEnvironment;
import dev.perigee.config.SourceUrl;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Finds the source of a command that runs without a server: the one that its arguments name, else the environment's.
///
/// @param argument the argument that names the source, as messages call it
/// @param example a command line that names a source
/// @param state what the message says if no source is named, such as `Nothing was copied`
record GivenSource(String argument, String example, String state) {
    static final String DESCRIPTION =
            "The source: postgres://user:password@host:port/database. Default: EXTERNAL_DB_URL, EXTERNAL_DB_*.";

    /// @param url the argument's value
    /// @throws PerigeeException [Fault#SOURCE_NOT_CONFIGURED] if nothing names a source, [Fault#CONFIG_INVALID] if its
    ///     address is not valid
    SourceConfig config(@Nullable String url, Map<String, String> environment) {
        if (url != null) return SourceUrl.source(url, argument, environment);
        return SourceEnvironment.source(environment)
                .orElseThrow(() -> Fault.SOURCE_NOT_CONFIGURED.in(
                        "the command line",
                        "neither %s nor EXTERNAL_DB_URL names a source".formatted(argument),
                        state,
                        "name it as in `%s`, or in EXTERNAL_DB_URL".formatted(example)));
    }
}
