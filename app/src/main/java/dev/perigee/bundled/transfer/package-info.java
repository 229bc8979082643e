/// `/export`: the replica's tables as SQL, JSON, CSV, or the SQLite file itself.
///
/// Guarantee: what is exported is the replica at one moment, of any size, while writes go on.
///
/// Start reading at [ExportPlugin].
@NullMarked
package dev.perigee.bundled.transfer;

import org.jspecify.annotations.NullMarked;
