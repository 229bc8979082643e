/// What runs plugins: their jars, their class loaders, their routes and hooks in order.
///
/// Guarantee: a plugin that fails or hangs holds up only itself.
///
/// Start reading at [PluginRegistry].
@NullMarked
package dev.perigee.plugin.host;

import org.jspecify.annotations.NullMarked;
