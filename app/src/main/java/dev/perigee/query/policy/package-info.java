/// What a caller's statement may touch: access rules for tables, and row-level security.
///
/// Guarantee: a caller reads and writes only rows that every policy of the table allows.
///
/// Start reading at [Policing].
@NullMarked
package dev.perigee.query.policy;

import org.jspecify.annotations.NullMarked;
