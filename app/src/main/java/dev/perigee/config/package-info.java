/// Reads `perigee.yaml` and the environment into one record per room; reports every mistake at once, with line and
/// expected range.
///
/// Guarantee: a record that exists is valid; no other room reads the environment.
///
/// Start reading at [PerigeeConfig].
@NullMarked
package dev.perigee.config;

import org.jspecify.annotations.NullMarked;
