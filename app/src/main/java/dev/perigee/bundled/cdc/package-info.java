/// `/cdc`: the rows that writes change, as they commit, to whoever follows them.
///
/// Guarantee: every change of every table, once, in the order of the commits, and none that was undone; who comes back
/// with a position misses nothing, or is told that it has to begin anew.
///
/// Start reading at [ChangeRecorder].
@NullMarked
package dev.perigee.bundled.cdc;

import org.jspecify.annotations.NullMarked;
