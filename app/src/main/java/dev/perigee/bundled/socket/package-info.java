/// WebSockets: statements by frame, and their answers.
@NullMarked
package dev.perigee.bundled.socket;

import org.jspecify.annotations.NullMarked;
