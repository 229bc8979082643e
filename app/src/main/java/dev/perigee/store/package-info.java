/// The replica file: one writer thread, a pool of read connections, Perigee's own tables (`tmp_*`), checkpoints,
/// backup.
///
/// Guarantee: each write is atomic. Once the call has returned, what it wrote survives a crash of the process.
///
/// Start reading at [Store].
@NullMarked
package dev.perigee.store;

import org.jspecify.annotations.NullMarked;
