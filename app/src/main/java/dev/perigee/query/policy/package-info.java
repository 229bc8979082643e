/// What a caller's statement may access: the rules for tables, pragmas and functions, and row-level security.
///
/// Guarantee: SQLite compiles no statement of a caller's that goes beyond its rights; a policed caller reads and writes
/// only rows that all policies of the table and the action allow.
///
/// Start reading at [AccessRules] and [Policing].
@NullMarked
package dev.perigee.query.policy;

import org.jspecify.annotations.NullMarked;
