/// The text of SQL statements: their words, their shape, and the values that are bound to them.
///
/// Guarantee: a keyword that SQLite reads in a text is found here too.
///
/// Start reading at [SqlWords].
@NullMarked
package dev.perigee.query.sql;

import org.jspecify.annotations.NullMarked;
