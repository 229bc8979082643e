/// Runs plugins: loads their jars in class loaders of their own, and keeps their routes and hooks in order.
///
/// Guarantee: a plugin from a jar that fails or hangs while it registers, starts or stops affects only itself, unless
/// `plugins.onFailure` is `fail`.
///
/// Start reading at [PluginRegistry].
@NullMarked
package dev.perigee.plugin.host;

import org.jspecify.annotations.NullMarked;
