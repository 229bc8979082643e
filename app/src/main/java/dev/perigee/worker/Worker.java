package dev.perigee.worker;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One worker process as the server sees it. It serves one exchange at a time. Any thread may call [#cancel()].
public final class Worker implements AutoCloseable {
    /// How long after its time limit an exchange may still end by itself before the process is killed.
    static final Duration GRACE = Duration.ofMillis(500);

    private static final Duration DEATH_WAIT = Duration.ofSeconds(5);
    private static final long IDLE = Long.MAX_VALUE;

    /// The exit code of a JVM that ran out of heap (`-XX:+ExitOnOutOfMemoryError`).
    private static final int OUT_OF_HEAP = 3;

    /// Why the server killed it.
    enum Reason {
        TIME,
        MEMORY,
        NO_LONGER_WANTED
    }

    private final Process process;
    private final Wire wire;
    private final DataOutputStream control;
    private final ResidentMemory memory;
    private final long maxMemoryBytes;
    private long exchange;
    private Duration limit = Duration.ZERO;
    private boolean isFinished = true;
    private @Nullable Object remembered;
    private volatile long deadlineNanos = IDLE;
    private volatile long memoryBytes;
    private volatile @Nullable Reason killed;

    /// @param maxMemoryBytes resident memory past which the process is killed
    Worker(Process process, Wire wire, long maxMemoryBytes) {
        this.process = process;
        this.wire = wire;
        this.control = new DataOutputStream(process.getOutputStream());
        this.memory = new ResidentMemory(process.pid());
        this.maxMemoryBytes = maxMemoryBytes;
    }

    /// The connection for the exchange. [#finished()] must be called when the worker's last answer has been read.
    public Wire wire() {
        return wire;
    }

    /// Marks the exchange as complete: everything was read, and the worker can take the next exchange. Without this
    /// call the worker is killed, because it is unknown what is still to be read.
    public void finished() {
        isFinished = true;
    }

    /// How long the exchange may take: its limit, less the time spent waiting for a worker as far as that counts.
    public Duration limit() {
        return limit;
    }

    /// What the room that uses the pool has stored by [#remember] about this worker; null at first.
    public @Nullable Object remembered() {
        return remembered;
    }

    public void remember(Object what) {
        remembered = what;
    }

    /// Asks the worker to end the exchange. The request may arrive between two steps and be lost, so repeat it until
    /// the exchange has ended. Any thread.
    public void cancel() {
        synchronized (control) {
            if (deadlineNanos == IDLE) return;
            try {
                control.writeLong(exchange);
                control.flush();
            } catch (IOException _) {
                // The process is dead; the exchange notices that by itself.
            }
        }
    }

    /// As [#cancel()], but the worker is killed if the exchange has not ended after [#GRACE].
    public void abandon() {
        cancel();
        deadlineNanos = Math.min(deadlineNanos, System.nanoTime() + GRACE.toNanos());
    }

    long pid() {
        return process.pid();
    }

    Process process() {
        return process;
    }

    boolean isUsable() {
        return isFinished && killed == null && process.isAlive();
    }

    void begin(Duration wanted) {
        synchronized (control) {
            exchange++;
            isFinished = false;
            limit = wanted;
            deadlineNanos = System.nanoTime() + wanted.plus(GRACE).toNanos();
        }
        wire.putLong(exchange);
    }

    void end() {
        synchronized (control) {
            deadlineNanos = IDLE;
        }
    }

    boolean isBusy() {
        return deadlineNanos != IDLE;
    }

    /// Kills the process if it is past its time or uses more memory than it may. Called by the watching thread.
    void look() {
        memoryBytes = memory.bytes();
        if (memoryBytes > maxMemoryBytes) kill(Reason.MEMORY);
        long deadline = deadlineNanos;
        if (deadline != IDLE && System.nanoTime() - deadline > 0) kill(Reason.TIME);
    }

    /// Resident memory in bytes, as last measured.
    long memoryBytes() {
        return memoryBytes;
    }

    void kill(Reason why) {
        synchronized (this) {
            if (killed == null) killed = why;
        }
        process.destroyForcibly();
    }

    /// Why the server killed the process; null if it did not.
    @Nullable
    Reason killed() {
        return killed;
    }

    /// Waits until the process has ended, so that its locks on the replica are released, and gives the reason.
    ///
    /// @param broken how the exchange noticed it
    /// @return the fault for the exchange's caller
    PerigeeException failure(WireException broken) {
        Reason before = killed;
        if (process.isAlive()) {
            try {
                // It closed the wire, either on purpose or because it is dying.
                if (!process.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS)) kill(Reason.NO_LONGER_WANTED);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
        awaitDeath();
        String where = "a statement in worker process " + process.pid();
        if (before == Reason.TIME) {
            return Fault.TIME_LIMIT.in(
                    where,
                    "it ran longer than its limit of %d ms".formatted(limit.toMillis()),
                    "The worker was killed and replaced",
                    "make the statement cheaper, or raise query.readLimit or query.writeLimit",
                    broken);
        }
        if (before == Reason.NO_LONGER_WANTED) {
            return Fault.CLOSED.in(where, "the server is being closed", "The statement was ended", broken);
        }
        boolean isMemory = before == Reason.MEMORY
                || !process.isAlive() && process.exitValue() == OUT_OF_HEAP
                || memoryBytes > maxMemoryBytes / 2;
        if (isMemory) {
            return Fault.TOO_LARGE.in(
                    where,
                    "it needs more memory than query.workerMemoryBytes allows",
                    "The worker was killed and replaced",
                    "read or build less in one statement, or raise query.workerMemoryBytes",
                    broken);
        }
        return Fault.WORKER_FAILED.in(
                where,
                "the process ended with code " + (process.isAlive() ? "unknown" : process.exitValue()),
                "The worker was replaced",
                broken);
    }

    private void awaitDeath() {
        boolean wasInterrupted = Thread.interrupted();
        try {
            if (!process.waitFor(DEATH_WAIT.toMillis(), TimeUnit.MILLISECONDS)) process.destroyForcibly();
        } catch (InterruptedException _) {
            wasInterrupted = true;
        } finally {
            if (wasInterrupted) Thread.currentThread().interrupt();
        }
    }

    /// Kills the process and waits for its end.
    @Override
    public void close() {
        kill(Reason.NO_LONGER_WANTED);
        wire.close();
        awaitDeath();
        memory.close();
    }
}
