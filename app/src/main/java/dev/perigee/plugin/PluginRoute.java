package dev.perigee.plugin;

import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.PluginHost.RouteHandler;

/// A route as a plugin registered it.
///
/// @param plugin the plugin's name, for messages
public record PluginRoute(String plugin, Access access, RouteHandler handler) {}
