package dev.perigee.plugin.host;

import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.PluginHost.RouteHandler;
import dev.perigee.plugin.PluginHost.SocketHandler;

/// A route as a plugin registered it.
///
/// @param plugin the plugin's name, for messages
public record PluginRoute(String plugin, Access access, Target target) {
    /// What a route leads to.
    public sealed interface Target {
        record Answer(RouteHandler handler) implements Target {}

        /// The handler reads the body itself, as an upload.
        ///
        /// @param maxBytes longest body
        record Take(RouteHandler handler, long maxBytes) implements Target {}

        /// The request is upgraded to a WebSocket.
        record Upgrade(SocketHandler handler) implements Target {}
    }
}
