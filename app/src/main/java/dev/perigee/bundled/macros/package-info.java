/// SQL macros: `$_exclude(…)` in a SELECT stands for all columns but those.
///
/// Guarantee: strings, quoted names and comments stay what they are, and so do parameters.
///
/// Start reading at [SqlMacrosPlugin].
@NullMarked
package dev.perigee.bundled.macros;

import org.jspecify.annotations.NullMarked;
