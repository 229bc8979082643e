/// A copy as a table of SQLite: its definition, and how rows go into it and come out of it.
///
/// Guarantee: a batch's rows go into a copy by one way only, [Upsert], and a row that cannot be stored is known by its
/// key.
///
/// Start reading at [CopyDefinition].
@NullMarked
package dev.perigee.replication.copy;

import org.jspecify.annotations.NullMarked;
