/// Worker processes: child JVMs of this program that do what must not be able to harm the server.
///
/// Guarantee: a worker that takes more time or memory than it may, or that crashes, is killed and replaced. Its caller
/// gets a named fault, and nobody else notices. The room knows nothing of SQL: what is said on the wire belongs to the
/// room that uses it.
///
/// Start reading at [WorkerPool] (the server's side; [LiveWorkers] has the processes) and [WorkerProcess] (the child's
/// side).
@NullMarked
package dev.perigee.worker;

import org.jspecify.annotations.NullMarked;
