/// What a command is given and gives back: paths as the user typed them, and exit codes.
@NullMarked
package dev.perigee.cli.args;

import org.jspecify.annotations.NullMarked;
