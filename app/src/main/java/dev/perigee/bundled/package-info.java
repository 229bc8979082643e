/// The plugins that ship in addition to replication, one sub-package each. The public classes are the plugins, which
/// the front door registers, and what one plugin uses of another.
///
/// Guarantee: each reaches the server through [dev.perigee.plugin.PluginHost] only, as a plugin in a jar does.
///
/// Start reading at the plugin you are looking for.
@NullMarked
package dev.perigee.bundled;

import org.jspecify.annotations.NullMarked;
