package dev.perigee.plugin.host;

import dev.perigee.plugin.PluginFailure;
import dev.perigee.plugin.StarbasePlugin;
import java.time.Duration;
import java.util.List;

/// The plugins among a server's that come as jars: who wrote them is not known, so they are held to limits.
///
/// @param plugins in their order
/// @param isFatal whether one that fails keeps the server from starting; else it is left out
/// @param limit how long one has to register, to start, and to stop, each
/// @param failures what was left out before
public record JarPlugins(List<StarbasePlugin> plugins, boolean isFatal, Duration limit, List<PluginFailure> failures) {
    static final JarPlugins NONE = new JarPlugins(List.of(), true, Duration.ofSeconds(1), List.of());

    public JarPlugins {
        plugins = List.copyOf(plugins);
        failures = List.copyOf(failures);
    }
}
