/// `/cdc`: sends the rows that writes change to the clients that follow them, as they commit.
///
/// Guarantee: a client gets every committed change of every table it follows once, in commit order, and none that was
/// rolled back. A client that reconnects with a position misses nothing, or is told to start over.
///
/// Start reading at [ChangeRecorder].
@NullMarked
package dev.perigee.bundled.cdc;

import org.jspecify.annotations.NullMarked;
