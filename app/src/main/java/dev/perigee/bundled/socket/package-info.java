/// `/socket`: SQL statements over a WebSocket, one request per frame.
///
/// Guarantee: every frame is answered, even if it is not valid; frames without an `id` are answered in order.
///
/// Start reading at [SocketPlugin].
@NullMarked
package dev.perigee.bundled.socket;

import org.jspecify.annotations.NullMarked;
