package dev.perigee.worker;

import dev.perigee.config.WorkerConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Lends a server's worker processes to callers: up to `query.workers` that read, started as they are needed, and one
/// that writes. Safe for many threads.
///
/// A caller waits for an idle worker, and the wait counts towards its time limit. An owner that already has a worker
/// leaves the last idle one to others, so one caller's slow statements never block another's. [LiveWorkers] starts and
/// replaces the processes.
public final class WorkerPool implements AutoCloseable {
    /// How long an exchange may wait for a worker while all are busy.
    private static final Duration FREE_WAIT = Duration.ofSeconds(5);

    /// How long an exchange may wait while a worker is being started, or half its limit if that is longer. On a busy
    /// machine a start may take longer than anyone should wait for a busy worker.
    private static final Duration NEXT_START_WAIT = Duration.ofSeconds(10);

    /// A wait for a worker counts towards an exchange's limit only if it is longer than this.
    private static final Duration UNCOUNTED_WAIT = Duration.ofMillis(100);

    /// How long an exchange waits for a busy worker before another one is started. A start takes a second of CPU time;
    /// most exchanges take less than a millisecond.
    static final Duration START_AFTER = Duration.ofMillis(50);

    /// How long the start of a worker may take. An exchange waits as long for the very first worker, and [#awaitWriter]
    /// for the worker that writes.
    static final Duration START_WAIT = Duration.ofSeconds(30);

    /// How many exchanges may wait for a free worker.
    static final int MAX_WAITING = 1024;

    /// @param running processes that are up
    /// @param busy those of them that are in an exchange
    /// @param started processes started so far
    /// @param outOfTime workers killed for exceeding their time
    /// @param outOfMemory workers killed for exceeding their memory
    /// @param crashed workers that ended by themselves or were killed from outside
    public record Stats(int running, int busy, long started, long outOfTime, long outOfMemory, long crashed) {}

    /// Sends the first message to each new worker.
    @FunctionalInterface
    public interface Greeting {
        /// @param mayWrite whether it is the worker that writes
        void say(Wire wire, boolean mayWrite);
    }

    private final WorkerConfig config;
    private final LiveWorkers live;
    private final Map<String, Integer> heldByOwner = new HashMap<>();
    private int busyReaders;
    private int waiting;

    /// Starts no process yet.
    ///
    /// @param mainClass the child's main class, on this process's class path; it calls [WorkerProcess#run]
    /// @param greeting sends the first message to each new worker, before its first exchange
    /// @param threads supervises the pool's threads
    public WorkerPool(WorkerConfig config, String mainClass, Greeting greeting, ServingThreads threads) {
        this.config = config;
        this.live = new LiveWorkers(config, mainClass, greeting, threads);
    }

    /// Starts a reading worker if there is none, and does not wait for it.
    public void warmUp() {
        live.warmUp();
    }

    /// Runs an exchange with a free reading worker, on this thread. Waits for a worker if need be.
    ///
    /// @param owner on whose behalf the exchange runs. One owner never holds all workers, if there are several
    /// @param limit past it, and a short grace, the worker is killed. A wait for a worker uses up at most half of it;
    ///     the wait for the very first worker's start is not counted
    /// @throws PerigeeException [Fault#BUSY] if no worker becomes free in time, [Fault#TIME_LIMIT] or [Fault#TOO_LARGE]
    ///     if the worker was killed for its time or memory, [Fault#WORKER_FAILED] if it crashed or cannot be started;
    ///     whatever the exchange itself throws
    public <T extends @Nullable Object> T read(String owner, Duration limit, Function<Worker, T> exchange) {
        long begin = System.nanoTime();
        Duration half = limit.dividedBy(2);
        boolean isFirst = live.started() == 0;
        Worker worker = acquire(owner, isFirst ? START_WAIT : longer(NEXT_START_WAIT, half));
        Duration waited = Duration.ofNanos(System.nanoTime() - begin);
        boolean isCounted = !isFirst && waited.compareTo(UNCOUNTED_WAIT) > 0;
        try {
            return exchange(worker, isCounted ? longer(limit.minus(waited), half) : limit, exchange);
        } finally {
            release(owner, worker);
        }
    }

    /// Waits until the worker that writes is up.
    ///
    /// @throws PerigeeException [Fault#BUSY] after [#START_WAIT], [Fault#WORKER_FAILED] if it cannot be started,
    ///     [Fault#CLOSED]
    public void awaitWriter() {
        long deadline = System.nanoTime() + START_WAIT.toNanos();
        live.lock.lock();
        try {
            while (live.writer() == null) {
                live.startWriter();
                await(Math.min(deadline - System.nanoTime(), StartTurns.RETRY_FIRST.toNanos()), deadline);
            }
        } finally {
            live.lock.unlock();
        }
    }

    /// As [#read], with the one worker that writes. Callers must make sure that only one call runs at a time.
    ///
    /// @return false if that worker is being restarted; nothing was run then, and [#awaitWriter()] waits for it
    public boolean write(Duration limit, Consumer<Worker> exchange) {
        Worker worker = live.writer();
        if (worker == null) return false;
        try {
            return exchange(worker, limit, lent -> {
                exchange.accept(lent);
                return true;
            });
        } finally {
            if (!worker.isUsable()) live.discard(worker);
        }
    }

    public Stats stats() {
        return live.stats();
    }

    /// Process ids of the workers that are up.
    public List<Long> pids() {
        return live.pids();
    }

    /// Kills all workers. Returns when they are gone.
    @Override
    public void close() {
        live.close();
    }

    private <T extends @Nullable Object> T exchange(Worker worker, Duration limit, Function<Worker, T> exchange) {
        try {
            worker.begin(limit);
            live.watchBusy();
            return exchange.apply(worker);
        } catch (WireException e) {
            throw worker.failure(e);
        } finally {
            worker.end();
        }
    }

    private Worker acquire(String owner, Duration startWait) {
        long begin = System.nanoTime();
        long deadline = begin + FREE_WAIT.toNanos();
        live.lock.lock();
        try {
            if (waiting >= MAX_WAITING) throw busy("%d statements are already waiting for one".formatted(MAX_WAITING));
            waiting++;
            try {
                while (true) {
                    live.throwIfClosed();
                    boolean isAlone = !heldByOwner.containsKey(owner);
                    Worker worker = mayTake(isAlone) ? live.pollIdle() : null;
                    if (worker != null) {
                        heldByOwner.merge(owner, 1, Integer::sum);
                        busyReaders++;
                        return worker;
                    }
                    live.throwIfUseless(!live.hasReader() && !live.isReaderStarting());
                    boolean isLong = System.nanoTime() - begin >= START_AFTER.toNanos();
                    // Start as many as the waiting exchanges need.
                    if (!live.hasReader() || isLong) live.startFor(isAlone ? waiting : waiting + 1);
                    // Never shortened again: another exchange may have taken the worker that was started.
                    if (!live.hasReader() || live.isReaderStarting()) deadline = begin + startWait.toNanos();
                    await(START_AFTER.toNanos(), deadline);
                }
            } finally {
                waiting--;
            }
        } finally {
            live.lock.unlock();
        }
    }

    /// Whether an idle worker may be taken. At most [WorkerConfig#size()] are busy at once, and an owner never holds
    /// all of those. Spare workers do not raise that number.
    ///
    /// @param isAlone whether its owner has no other worker
    private boolean mayTake(boolean isAlone) {
        int mostBusy = isAlone ? config.size() : config.size() - 1;
        return busyReaders < mostBusy && (isAlone || live.idleCount() > 1);
    }

    private void release(String owner, Worker worker) {
        if (!worker.isUsable()) {
            live.discard(worker);
        }
        live.lock.lock();
        try {
            heldByOwner.compute(owner, (_, held) -> held == null || held == 1 ? null : held - 1);
            busyReaders--;
            live.giveBack(worker);
        } finally {
            live.lock.unlock();
        }
    }

    private void await(long nanos, long deadline) {
        if (System.nanoTime() - deadline >= 0) {
            throw busy("none of %d was free in time".formatted(config.size()));
        }
        try {
            long _ = live.changed.awaitNanos(Math.max(1, nanos));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw busy("the wait for one was interrupted");
        }
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    private static PerigeeException busy(String what) {
        return Fault.BUSY.in("a client's statement", "it needs a worker process, but " + what, "It was not run");
    }
}
