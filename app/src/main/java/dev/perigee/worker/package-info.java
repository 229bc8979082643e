/// Worker processes: child JVMs of this program that run work which must not be able to harm the server.
///
/// Guarantee: a worker that exceeds its time or memory limit, or crashes, is killed and replaced. Its caller gets a
/// named fault, and no other caller is affected. The room knows nothing of SQL: the room that uses it defines what is
/// said on the wire.
///
/// Start reading at [WorkerPool] (the server's side; [LiveWorkers] keeps the processes) and [WorkerProcess] (the
/// child's side).
@NullMarked
package dev.perigee.worker;

import org.jspecify.annotations.NullMarked;
