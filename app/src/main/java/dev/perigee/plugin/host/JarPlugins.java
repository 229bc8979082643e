package dev.perigee.plugin.host;

import dev.perigee.plugin.PluginFailure;
import dev.perigee.plugin.StarbasePlugin;
import java.time.Duration;
import java.util.List;

/// Those of a server's plugins that come as jars. Their authors are unknown, so time limits apply to them.
///
/// @param plugins in their order
/// @param isFatal whether a failing plugin keeps the server from starting; otherwise the plugin is left out
/// @param limit how long a plugin may take to register, to start, and to stop, each
/// @param failures the plugins that were already left out while loading
public record JarPlugins(List<StarbasePlugin> plugins, boolean isFatal, Duration limit, List<PluginFailure> failures) {
    static final JarPlugins NONE = new JarPlugins(List.of(), true, Duration.ofSeconds(1), List.of());

    public JarPlugins {
        plugins = List.copyOf(plugins);
        failures = List.copyOf(failures);
    }
}
