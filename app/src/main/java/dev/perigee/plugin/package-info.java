/// `StarbasePlugin`, its registry, routes and hooks; and what a query is, to plugins and to the engine.
///
/// Guarantee: hooks run once per query, in list order; a plugin reaches the host only through [PluginHost].
///
/// Start reading at [StarbasePlugin].
@NullMarked
package dev.perigee.plugin;

import org.jspecify.annotations.NullMarked;
