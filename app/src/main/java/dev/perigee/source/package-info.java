/// The contract that every external database keeps: discover tables, pull pages of rows after a cursor, read a
/// snapshot, run queries. Each kind of database has a package of its own.
///
/// Guarantee: an empty answer always means that there is nothing. A failure is always a fault, never an empty answer.
///
/// Start reading at [Source].
@NullMarked
package dev.perigee.source;

import org.jspecify.annotations.NullMarked;
