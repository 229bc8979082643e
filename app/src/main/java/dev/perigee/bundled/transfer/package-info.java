/// `/export` and `/import`: the replica's tables as SQL, JSON or CSV, and for exports also as the SQLite file itself.
///
/// Guarantee: an export is the replica at one moment, of any size, while writes continue. An import is one transaction,
/// all or nothing.
///
/// Start reading at [ExportPlugin] and [ImportPlugin].
@NullMarked
package dev.perigee.bundled.transfer;

import org.jspecify.annotations.NullMarked;
