/// A copy as a SQLite table: its definition, how rows are written to it, and how single rows are read back.
///
/// Guarantee: [Upsert] is the only class that writes a batch's rows into a copy, and it names each row that cannot be
/// stored.
///
/// Start reading at [CopyDefinition].
@NullMarked
package dev.perigee.replication.copy;

import org.jspecify.annotations.NullMarked;
