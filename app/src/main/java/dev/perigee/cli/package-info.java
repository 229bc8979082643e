/// The command line: one class per command.
///
/// Guarantee: the help of every command lists its exit codes, and whatever a program may want to read has `--json`.
///
/// Start reading at [Main].
@NullMarked
package dev.perigee.cli;

import org.jspecify.annotations.NullMarked;
