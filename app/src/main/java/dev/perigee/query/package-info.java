/// The one path that every caller's statement takes: hooks, rights, limits, run.
///
/// Guarantee: a caller's statement reaches the replica or the source only through this package, or in a plugin's own
/// transaction.
///
/// Start reading at [QueryEngine].
@NullMarked
package dev.perigee.query;

import org.jspecify.annotations.NullMarked;
