/// The command line: one class per command.
///
/// Guarantee: exit codes are documented; what a program would read has `--json`.
///
/// Start reading at [Main].
@NullMarked
package dev.perigee.cli;

import org.jspecify.annotations.NullMarked;
