package dev.perigee.worker;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.worker.WorkerPool.Greeting;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Starts worker processes, each from a thread of its own, and backs off: after a failed start, further starts wait
/// increasingly long, until one succeeds. Safe for many threads.
final class StartTurns {
    /// Base of the wait after failed starts. It is doubled for each failure in a row: 200 ms after the first, then 400
    /// ms, up to [#RETRY_MAX].
    static final Duration RETRY_FIRST = Duration.ofMillis(100);

    private static final Duration RETRY_MAX = Duration.ofSeconds(10);
    private static final Logger LOG = LoggerFactory.getLogger(StartTurns.class);

    /// Limits how many reading workers start at the same time: half the processors, at least one. On a small machine
    /// they start one after the other, so that the first is ready sooner and the last no later. The worker that writes
    /// does not wait here, because there is no other.
    private final Semaphore turns =
            new Semaphore(Math.max(1, Runtime.getRuntime().availableProcessors() / 2), true);

    private final WorkerStart starter;
    private final Greeting greeting;
    private final ServingThreads threads;
    private int failed;
    private long nextNanos = System.nanoTime();
    private @Nullable RuntimeException lastFailure;
    private volatile boolean isClosed;

    StartTurns(WorkerStart starter, Greeting greeting, ServingThreads threads) {
        this.starter = starter;
        this.greeting = greeting;
        this.threads = threads;
    }

    /// Starts a process, without waiting for it.
    ///
    /// @param done called with the worker, or with null if it did not start
    void start(boolean mayWrite, Consumer<@Nullable Worker> done) {
        Runnable work = () -> done.accept(started(mayWrite));
        Thread.ofPlatform().daemon().name("perigee-worker-start").start(threads.step("worker start", work));
    }

    /// Whether a process may be started now.
    synchronized boolean isDue() {
        return System.nanoTime() - nextNanos >= 0;
    }

    /// @throws PerigeeException [Fault#WORKER_FAILED] if the last start failed and the next one is not due yet
    synchronized void throwIfPutOff() {
        RuntimeException failure = lastFailure;
        if (failure == null || isDue()) return;
        throw Fault.WORKER_FAILED.in(
                "the start of a worker process",
                String.valueOf(failure.getMessage()),
                "The statement was not run",
                failure);
    }

    /// Stops the logging of failures, which are mere consequences of closing.
    void close() {
        isClosed = true;
    }

    private @Nullable Worker started(boolean mayWrite) {
        if (!mayWrite) turns.acquireUninterruptibly();
        try {
            Worker worker = starter.start(wire -> greeting.say(wire, mayWrite));
            noteSuccess();
            return worker;
        } catch (RuntimeException e) {
            noteFailure(e);
            return null;
        } finally {
            if (!mayWrite) turns.release();
        }
    }

    private synchronized void noteSuccess() {
        failed = 0;
        lastFailure = null;
    }

    private synchronized void noteFailure(RuntimeException failure) {
        lastFailure = failure;
        failed++;
        long wait = Math.min(RETRY_MAX.toNanos(), RETRY_FIRST.toNanos() << Math.min(failed, 10));
        nextNanos = System.nanoTime() + wait;
        if (!isClosed) LOG.error("A worker process could not be started; clients' statements wait for it", failure);
    }
}
