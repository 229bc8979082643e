/// Builds the b-tree pages of SQLite tables directly from batches, without SQLite, into a file of their own.
///
/// Guarantee: a finished file is a valid SQLite database, with the records that SQLite's own INSERT would have written.
/// Memory does not depend on the number of rows, nor on their size.
///
/// Start reading at [TableBuilder].
@NullMarked
package dev.perigee.pages;

import org.jspecify.annotations.NullMarked;
