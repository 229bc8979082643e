/// SQL macros: `$_exclude(…)` in a SELECT stands for all columns except those it names.
///
/// Guarantee: strings, quoted names, comments and parameters are left as they are.
///
/// Start reading at [SqlMacrosPlugin].
@NullMarked
package dev.perigee.bundled.macros;

import org.jspecify.annotations.NullMarked;
