/// `StarbasePlugin`, its routes and hooks, and requests and responses as a plugin sees them.
///
/// Guarantee: hooks run once per query, in list order; a plugin reaches the host only through [PluginHost].
///
/// Start reading at [StarbasePlugin].
@NullMarked
package dev.perigee.plugin;

import org.jspecify.annotations.NullMarked;
