/// The plugins that ship beside replication, a sub-package for each; only their registration is public.
///
/// Guarantee: each reaches the server through [dev.perigee.plugin.PluginHost] only, as a plugin in a jar does.
///
/// Start reading at the plugin you are looking for.
@NullMarked
package dev.perigee.bundled;

import org.jspecify.annotations.NullMarked;
