/// What a caller's statement may access: the rules for tables, pragmas and functions, and row-level security.
///
/// Guarantee: a policed caller reads and writes only rows that all policies of the table and the action allow.
///
/// Start reading at [Policing].
@NullMarked
package dev.perigee.query.policy;

import org.jspecify.annotations.NullMarked;
