package dev.perigee.plugin.host;

import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.PluginHost.RouteHandler;
import dev.perigee.plugin.PluginHost.SocketHandler;

/// A route as a plugin registered it.
///
/// @param plugin the plugin's name, for messages
public record PluginRoute(String plugin, Access access, Target target) {
    /// What a request to the route does.
    public sealed interface Target {
        /// The handler answers; it is given the whole body.
        record Answer(RouteHandler handler) implements Target {}

        /// The handler answers; it reads the body itself, as an upload.
        ///
        /// @param maxBytes maximum size of the body
        record Take(RouteHandler handler, long maxBytes) implements Target {}

        /// The request is upgraded to a WebSocket.
        record Upgrade(SocketHandler handler) implements Target {}
    }
}
