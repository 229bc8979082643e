/// What a command takes and returns: paths as the user typed them, and exit codes.
@NullMarked
package dev.perigee.cli.args;

import org.jspecify.annotations.NullMarked;
