package dev.perigee.worker;

import dev.perigee.config.WorkerConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The worker processes of one server: `query.workers` of them that read, started as they are needed, and one that
/// writes. Safe for many threads.
///
/// One thread looks at all of them every 10 ms while any is busy, and kills those past their time or memory. A worker
/// that is gone, whatever the reason, is replaced at once: while workers have to be killed, by spare ones that are kept
/// ready. An owner that has a worker leaves the last idle one to others, so that one caller's slow statements never
/// hold up somebody else's.
public final class WorkerPool implements AutoCloseable {
    /// How long an exchange may wait for a worker that others use.
    private static final Duration FREE_WAIT = Duration.ofSeconds(5);

    /// How long it may wait for one that is being started, or half its limit if that is longer: a busy machine may take
    /// longer to start one than anybody should wait for a busy one.
    private static final Duration NEXT_START_WAIT = Duration.ofSeconds(10);

    /// A wait for a worker counts towards an exchange's limit if it is longer than this.
    private static final Duration UNCOUNTED_WAIT = Duration.ofMillis(100);

    /// How long an exchange waits for a busy worker before another is started: a start takes a second of CPU time, most
    /// exchanges less than a millisecond.
    static final Duration START_AFTER = Duration.ofMillis(50);

    /// How long the first worker may take to start.
    static final Duration START_WAIT = Duration.ofSeconds(30);

    /// Exchanges that may wait for a free worker.
    static final int MAX_WAITING = 1024;

    private static final long TICK_NANOS = Duration.ofMillis(10).toNanos();
    private static final long IDLE_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long SPARE_NANOS = Duration.ofMinutes(1).toNanos();
    private static final Duration RETRY_FIRST = Duration.ofMillis(100);
    private static final Duration RETRY_MAX = Duration.ofSeconds(10);
    private static final Logger LOG = LoggerFactory.getLogger(WorkerPool.class);

    /// @param running processes that are up
    /// @param busy those of them that are in an exchange
    /// @param started processes started so far
    /// @param outOfTime workers killed because of their time
    /// @param outOfMemory workers killed because of their memory
    /// @param crashed workers that ended by themselves or were killed by somebody else
    public record Stats(int running, int busy, long started, long outOfTime, long outOfMemory, long crashed) {}

    /// What is said to each new worker.
    @FunctionalInterface
    public interface Greeting {
        /// @param mayWrite whether it is the worker that writes
        void say(Wire wire, boolean mayWrite);
    }

    private final WorkerConfig config;
    private final WorkerStart starter;
    private final Greeting greeting;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Worker> idle = new ArrayDeque<>();
    private final Set<Worker> all = new HashSet<>();
    private final Map<String, Integer> heldByOwner = new HashMap<>();
    private final Map<Worker.Reason, Long> kills = new EnumMap<>(Worker.Reason.class);

    /// Readers start one after the other on a small machine: the first is ready sooner, and the last no later. The
    /// writer does not stand in that line, for there is no other.
    private final Semaphore starts =
            new Semaphore(Math.max(1, Runtime.getRuntime().availableProcessors() / 2), true);

    private final ServingThreads threads;
    private final Thread watch;
    private @Nullable Worker writing;
    private boolean isWriterStarting;
    private int readers;
    private int busyReaders;
    private int starting;
    private int spares;
    private long lastLossNanos;
    private int waiting;
    private long started;
    private long crashed;
    private int failedStarts;
    private long nextStartNanos = System.nanoTime();
    private @Nullable RuntimeException lastFailure;
    private boolean isClosed;
    private volatile boolean isWatchAsleep;

    /// Starts no process yet.
    ///
    /// @param mainClass the child's, on this process's class path; it calls [WorkerProcess#run]
    /// @param greeting what is said to each new worker before its first exchange
    /// @param threads what supervises the pool's threads
    public WorkerPool(WorkerConfig config, String mainClass, Greeting greeting, ServingThreads threads) {
        this.config = config;
        this.starter = new WorkerStart(config, mainClass);
        this.greeting = greeting;
        this.threads = threads;
        this.watch = Thread.ofPlatform()
                .daemon()
                .name("perigee-worker-watch")
                .unstarted(threads.repeated("worker watch", this::watch));
        watch.start();
    }

    /// Starts a reading worker if there is none, and does not wait for it.
    public void warmUp() {
        lock.lock();
        try {
            if (readers + starting == 0) startOne();
        } finally {
            lock.unlock();
        }
    }

    /// Runs an exchange with a worker that is free, on this thread.
    ///
    /// @param owner whose statement it is; one owner never holds all workers if there are several
    /// @param limit past it, and a short grace, the worker is killed. A wait for a worker is part of it, up to a half,
    ///     but for the very first worker's start
    /// @throws PerigeeException [Fault#BUSY] if none becomes free in time, [Fault#TIME_LIMIT] or [Fault#TOO_LARGE] if
    ///     the worker was killed for its time or memory, [Fault#WORKER_FAILED] if it crashed or cannot be started; what
    ///     the exchange itself throws
    public <T extends @Nullable Object> T read(String owner, Duration limit, Function<Worker, T> exchange) {
        long begin = System.nanoTime();
        Duration half = limit.dividedBy(2);
        boolean isFirst = startedCount() == 0;
        Worker worker = acquire(owner, isFirst ? START_WAIT : longer(NEXT_START_WAIT, half));
        Duration waited = Duration.ofNanos(System.nanoTime() - begin);
        boolean isCounted = !isFirst && waited.compareTo(UNCOUNTED_WAIT) > 0;
        try {
            return exchange(worker, isCounted ? longer(limit.minus(waited), half) : limit, exchange);
        } finally {
            release(owner, worker);
        }
    }

    /// Waits until the worker that writes has been started.
    public void awaitWriter() {
        long deadline = System.nanoTime() + START_WAIT.toNanos();
        lock.lock();
        try {
            while (writing == null) {
                throwIfUseless(writing == null && !isWriterStarting);
                if (!isWriterStarting && isStartDue()) {
                    isWriterStarting = true;
                    start(true, this::addWriter, () -> isWriterStarting = false);
                }
                await(Math.min(deadline - System.nanoTime(), RETRY_FIRST.toNanos()), deadline);
            }
        } finally {
            lock.unlock();
        }
    }

    /// As [#read], with the one worker that writes. The caller sees to it that there is one call at a time, and that
    /// [#awaitWriter()] was called before.
    public <T extends @Nullable Object> T write(Duration limit, Function<Worker, T> exchange) {
        Worker worker;
        lock.lock();
        try {
            if (isClosed) throw closed();
            worker = writing;
        } finally {
            lock.unlock();
        }
        if (worker == null) throw Fault.BUSY.saying("The worker process that writes is being restarted.");
        try {
            return exchange(worker, limit, exchange);
        } finally {
            if (!worker.isUsable()) discard(worker);
        }
    }

    public Stats stats() {
        lock.lock();
        try {
            int busy = 0;
            for (Worker worker : all) if (worker.isBusy()) busy++;
            return new Stats(
                    all.size(),
                    busy,
                    started,
                    kills.getOrDefault(Worker.Reason.TIME, 0L),
                    kills.getOrDefault(Worker.Reason.MEMORY, 0L),
                    crashed);
        } finally {
            lock.unlock();
        }
    }

    /// Process ids of the workers that are up.
    public List<Long> pids() {
        lock.lock();
        try {
            return all.stream().map(Worker::pid).toList();
        } finally {
            lock.unlock();
        }
    }

    /// Kills all workers, and returns when they are gone.
    @Override
    public void close() {
        List<Worker> left;
        lock.lock();
        try {
            isClosed = true;
            left = new ArrayList<>(all);
            all.clear();
            idle.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        LockSupport.unpark(watch);
        left.forEach(Worker::close);
    }

    private <T extends @Nullable Object> T exchange(Worker worker, Duration limit, Function<Worker, T> exchange) {
        try {
            worker.begin(limit);
            if (isWatchAsleep) LockSupport.unpark(watch);
            return exchange.apply(worker);
        } catch (WireException e) {
            throw worker.failure(e);
        } finally {
            worker.end();
        }
    }

    private long startedCount() {
        lock.lock();
        try {
            return started;
        } finally {
            lock.unlock();
        }
    }

    private Worker acquire(String owner, Duration startWait) {
        long begin = System.nanoTime();
        long deadline = begin + FREE_WAIT.toNanos();
        lock.lock();
        try {
            if (waiting >= MAX_WAITING) throw busy("%d statements wait for one already".formatted(MAX_WAITING));
            waiting++;
            try {
                while (true) {
                    if (isClosed) throw closed();
                    boolean isAlone = !heldByOwner.containsKey(owner);
                    Worker worker = mayTake(isAlone) ? pollIdle() : null;
                    if (worker != null) {
                        heldByOwner.merge(owner, 1, Integer::sum);
                        busyReaders++;
                        return worker;
                    }
                    throwIfUseless(readers + starting == 0);
                    if (readers == 0 || System.nanoTime() - begin >= START_AFTER.toNanos()) startFor(isAlone);
                    // It stays so: somebody else may have taken the one that was started.
                    if (readers == 0 || starting > 0) deadline = begin + startWait.toNanos();
                    await(START_AFTER.toNanos(), deadline);
                }
            } finally {
                waiting--;
            }
        } finally {
            lock.unlock();
        }
    }

    /// Spare workers count as idle ones only: with them too, no owner has all that may be busy at once.
    ///
    /// @param isAlone whether its owner has no other worker
    private boolean mayTake(boolean isAlone) {
        int mostBusy = isAlone ? config.size() : config.size() - 1;
        return busyReaders < mostBusy && (isAlone || idle.size() > 1);
    }

    /// Starts as many as those that wait need, and no more than there may be.
    private void startFor(boolean isAlone) {
        int wanted = isAlone ? waiting : waiting + 1;
        int most = config.size() + spares;
        while (isStartDue() && idle.size() + starting < wanted && readers + starting < most) startOne();
    }

    private @Nullable Worker pollIdle() {
        while (true) {
            Worker worker = idle.pollFirst();
            if (worker == null || worker.isUsable()) return worker;
            forget(worker);
        }
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    private void await(long nanos, long deadline) {
        if (System.nanoTime() - deadline >= 0) {
            throw busy("none of %d was free in time".formatted(config.size()));
        }
        try {
            long _ = changed.awaitNanos(Math.max(1, nanos));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw busy("the wait for one was interrupted");
        }
    }

    private void throwIfUseless(boolean hasNone) {
        if (isClosed) throw closed();
        RuntimeException failure = lastFailure;
        if (hasNone && failure != null && !isStartDue()) {
            throw Fault.WORKER_FAILED.in(
                    "the start of a worker process",
                    String.valueOf(failure.getMessage()),
                    "The statement was not run",
                    failure);
        }
    }

    private boolean isStartDue() {
        return System.nanoTime() - nextStartNanos >= 0;
    }

    private void release(String owner, Worker worker) {
        if (!worker.isUsable()) {
            discard(worker);
        }
        lock.lock();
        try {
            heldByOwner.compute(owner, (_, held) -> held == null || held == 1 ? null : held - 1);
            busyReaders--;
            // Last in, first out: what a worker has in its caches is used again, and those not needed stay idle.
            if (all.contains(worker)) idle.addFirst(worker);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Takes a worker out and starts the one that takes its place.
    private void discard(Worker worker) {
        boolean wasHere;
        lock.lock();
        try {
            wasHere = forget(worker);
        } finally {
            lock.unlock();
        }
        if (wasHere) worker.close();
    }

    /// Under the lock.
    ///
    /// @return false if somebody else has taken it out already
    private boolean forget(Worker worker) {
        if (!all.remove(worker)) return false;
        idle.remove(worker);
        Worker.Reason reason = worker.killed();
        if (reason == null) crashed++;
        else kills.merge(reason, 1L, Long::sum);
        if (worker == writing) {
            writing = null;
            isWriterStarting = true;
            start(true, this::addWriter, () -> isWriterStarting = false);
        } else {
            readers--;
            if (reason != Worker.Reason.NO_LONGER_WANTED) noteLoss();
            startOne();
        }
        return true;
    }

    /// Under the lock: whoever was killed once will be again, so one more is kept ready.
    private void noteLoss() {
        lastLossNanos = System.nanoTime();
        if (idle.size() > 1 || spares == config.size()) return;
        spares++;
        startOne();
    }

    /// Ends a spare worker when none has been needed for long.
    private void dropSpare() {
        Worker spare;
        lock.lock();
        try {
            if (spares == 0 || System.nanoTime() - lastLossNanos < SPARE_NANOS) return;
            spares--;
            if (readers + starting <= config.size() + spares) return;
            spare = idle.pollLast();
            if (spare == null) return;
            all.remove(spare);
            readers--;
        } finally {
            lock.unlock();
        }
        spare.close();
    }

    private void startOne() {
        starting++;
        start(
                false,
                worker -> {
                    readers++;
                    idle.addFirst(worker);
                },
                () -> starting--);
    }

    private void addWriter(Worker worker) {
        writing = worker;
    }

    /// Starts a process on a thread of its own.
    ///
    /// @param add called with it under the lock
    /// @param done called under the lock whether it started or not
    private void start(boolean mayWrite, Consumer<Worker> add, Runnable done) {
        if (isClosed) return;
        Runnable work = () -> {
            Worker worker = null;
            RuntimeException failure = null;
            if (!mayWrite) starts.acquireUninterruptibly();
            try {
                worker = starter.start(wire -> greeting.say(wire, mayWrite));
            } catch (RuntimeException e) {
                failure = e;
            } finally {
                if (!mayWrite) starts.release();
            }
            lock.lock();
            try {
                done.run();
                if (worker == null) {
                    noteFailure(failure);
                } else if (!isClosed) {
                    failedStarts = 0;
                    lastFailure = null;
                    started++;
                    all.add(worker);
                    add.accept(worker);
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
            if (worker != null) followEnd(worker);
        };
        Thread.ofPlatform().daemon().name("perigee-worker-start").start(threads.step("worker start", work));
    }

    private void noteFailure(@Nullable RuntimeException failure) {
        lastFailure = failure;
        failedStarts++;
        long wait = Math.min(RETRY_MAX.toNanos(), RETRY_FIRST.toNanos() << Math.min(failedStarts, 10));
        nextStartNanos = System.nanoTime() + wait;
        if (!isClosed) LOG.error("A worker process could not be started; clients' statements wait for it", failure);
    }

    /// An idle worker's death is noticed here; a busy one's is by its exchange too.
    private void followEnd(Worker worker) {
        if (isClosed()) worker.close();
        CompletableFuture<?> _ = worker.process().onExit().thenRun(() -> {
            if (!worker.isBusy()) discard(worker);
        });
    }

    private void watch() {
        while (!isClosed()) {
            if (lookAtAll()) {
                LockSupport.parkNanos(TICK_NANOS);
                continue;
            }
            isWatchAsleep = true;
            // An exchange that began before the flag was set has not woken us: look once more.
            if (!lookAtAll()) {
                dropSpare();
                LockSupport.parkNanos(IDLE_NANOS);
            }
            isWatchAsleep = false;
        }
    }

    /// @return whether any worker is busy
    private boolean lookAtAll() {
        boolean isBusy = false;
        for (Worker worker : current()) {
            try {
                isBusy |= worker.isBusy();
                worker.look();
                if (!worker.isBusy()) retireIfLarge(worker);
            } catch (RuntimeException e) {
                LOG.error("A worker process could not be looked at", e);
            }
        }
        return isBusy;
    }

    private List<Worker> current() {
        lock.lock();
        try {
            return List.copyOf(all);
        } finally {
            lock.unlock();
        }
    }

    private boolean isClosed() {
        lock.lock();
        try {
            return isClosed;
        } finally {
            lock.unlock();
        }
    }

    /// A worker that keeps much memory after its exchange is replaced: the allocator would keep it for the next.
    private void retireIfLarge(Worker worker) {
        if (worker.memoryBytes() < config.retireBytes()) return;
        boolean isIdle;
        lock.lock();
        try {
            isIdle = idle.remove(worker);
        } finally {
            lock.unlock();
        }
        if (!isIdle) return;
        worker.kill(Worker.Reason.NO_LONGER_WANTED);
        discard(worker);
    }

    private static PerigeeException busy(String what) {
        return Fault.BUSY.in("a client's statement", "it needs a worker process, but " + what, "It was not run");
    }

    private static PerigeeException closed() {
        return Fault.CLOSED.saying("The server is being closed and runs no more statements.");
    }
}
