/// Reads `perigee.yaml` and the environment into one record per room. All mistakes are reported together, each with its
/// line and what was expected.
///
/// Guarantee: a record that was read is valid. The server's settings in the environment are read here only, except for
/// the path of SQLite's library (`SqliteLibrary`).
///
/// Start reading at [PerigeeConfig].
@NullMarked
package dev.perigee.config;

import org.jspecify.annotations.NullMarked;
