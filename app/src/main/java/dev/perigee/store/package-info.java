/// The replica file: one writer thread, a pool of read connections, Perigee's own tables (`tmp_*`), checkpoints,
/// backup.
///
/// Guarantee: what a write function did is there whole or not at all, and is durable across a crash of the process once
/// the call returned.
///
/// Start reading at [Store].
@NullMarked
package dev.perigee.store;

import org.jspecify.annotations.NullMarked;
