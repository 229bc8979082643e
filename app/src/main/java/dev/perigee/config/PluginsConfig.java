package dev.perigee.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Plugins that come as jars.
///
/// @param directory where they are; empty for `plugins` beside the data folder's replica
/// @param isFatal whether one that fails keeps the server from starting; else it is left out and named
/// @param settings of each, by its name
/// @param limit how long one has to register, to start, and to stop, each
public record PluginsConfig(
        Optional<Path> directory, boolean isFatal, Map<String, Map<String, String>> settings, Duration limit) {
    public static final PluginsConfig DEFAULTS =
            new PluginsConfig(Optional.empty(), false, Map.of(), Duration.ofSeconds(30));

    public PluginsConfig {
        Map<String, Map<String, String>> copy = new HashMap<>();
        settings.forEach((name, values) -> copy.put(name, Map.copyOf(values)));
        settings = Map.copyOf(copy);
    }

    @Override
    public String toString() {
        return "PluginsConfig[%s]".formatted(directory); // never the settings, which may be secrets
    }
}
