/// `StarbasePlugin`, its registry, routes and hooks.
///
/// Guarantee: hooks run once per query, in list order; a plugin reaches the host only through [PluginHost].
///
/// Start reading at [StarbasePlugin].
@NullMarked
package dev.perigee.plugin;

import org.jspecify.annotations.NullMarked;
