package dev.perigee.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Settings of the plugins that come as jars.
///
/// @param directory the folder with the jars; empty for `plugins` in the data folder
/// @param isFatal whether a plugin that fails keeps the server from starting; else it is left out and reported
/// @param settings each plugin's own settings, by the plugin's name
/// @param limit the time that a plugin has for each of registering, starting and stopping
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
