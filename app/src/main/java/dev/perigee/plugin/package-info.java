/// `StarbasePlugin`, its routes and hooks, and requests and responses as a plugin sees them.
///
/// Guarantee: hooks run in list order, and once per statement unless the plugin allows more ([StarbasePlugin#mayWait]).
/// A plugin reaches the server only through [PluginHost].
///
/// Start reading at [StarbasePlugin].
@NullMarked
package dev.perigee.plugin;

import org.jspecify.annotations.NullMarked;
