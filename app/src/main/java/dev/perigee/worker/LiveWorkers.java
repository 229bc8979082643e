package dev.perigee.worker;

import dev.perigee.config.WorkerConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.worker.WorkerPool.Greeting;
import dev.perigee.worker.WorkerPool.Stats;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The worker processes that are up or being started: the ones that read, including spares, and the one that writes.
/// [WorkerPool] lends them to callers.
///
/// A worker that is gone is replaced at once, whatever the reason. After a reading worker was killed or crashed, one
/// more is kept ready as a spare, until none has been lost for a minute. [WorkerWatch] kills workers past their time or
/// memory.
///
/// Safe for many threads. Methods marked "Under the lock" must be called with [#lock] held; the pool holds it to update
/// its own counts in the same step. [#changed] is signalled when a worker may have become idle, when a start has ended,
/// and when the workers have been closed.
final class LiveWorkers implements AutoCloseable {
    private static final long SPARE_NANOS = Duration.ofMinutes(1).toNanos();

    final ReentrantLock lock = new ReentrantLock();
    final Condition changed = lock.newCondition();

    private final WorkerConfig config;
    private final Deque<Worker> idle = new ArrayDeque<>();
    private final Set<Worker> all = new HashSet<>();
    private final Map<Worker.Reason, Long> kills = new EnumMap<>(Worker.Reason.class);

    private final StartTurns starts;
    private final WorkerWatch watch;
    private @Nullable Worker writing;
    private boolean isWriterStarting;
    private int readers;
    private int starting;
    private int spares;
    private long lastLossNanos;
    private long started;
    private long crashed;
    private boolean isClosed;

    /// Starts the watching thread, but no worker process yet.
    LiveWorkers(WorkerConfig config, String mainClass, Greeting greeting, ServingThreads threads) {
        this.config = config;
        this.starts = new StartTurns(new WorkerStart(config, mainClass), greeting, threads);
        this.watch = new WorkerWatch(this, threads);
        watch.start();
    }

    /// Starts a reading worker if there is none, and does not wait for it.
    void warmUp() {
        lock.lock();
        try {
            if (!hasReader() && !isReaderStarting()) startOne();
        } finally {
            lock.unlock();
        }
    }

    /// Processes started so far.
    long started() {
        lock.lock();
        try {
            return started;
        } finally {
            lock.unlock();
        }
    }

    /// Under the lock: whether a reading worker is up.
    boolean hasReader() {
        return readers > 0;
    }

    /// Under the lock.
    boolean isReaderStarting() {
        return starting > 0;
    }

    /// Under the lock: how many reading workers are in no exchange.
    int idleCount() {
        return idle.size();
    }

    /// Under the lock: takes the idle worker that was used last; null if none is idle.
    @Nullable
    Worker pollIdle() {
        while (true) {
            Worker worker = idle.pollFirst();
            if (worker == null || worker.isUsable()) return worker;
            forget(worker);
        }
    }

    /// Under the lock: makes a worker taken by [#pollIdle()] idle again, unless it is gone.
    void giveBack(Worker worker) {
        // Last in, first out: warm caches are used again, and workers that are not needed stay idle.
        if (all.contains(worker)) idle.addFirst(worker);
        changed.signalAll();
    }

    /// Under the lock: starts workers until `wanted` are idle or being started, but no more than are allowed.
    void startFor(int wanted) {
        int most = config.size() + spares;
        while (starts.isDue() && idle.size() + starting < wanted && readers + starting < most) startOne();
    }

    /// The worker that writes; null while it is not up.
    ///
    /// @throws PerigeeException [Fault#CLOSED]
    @Nullable
    Worker writer() {
        lock.lock();
        try {
            throwIfClosed();
            return writing;
        } finally {
            lock.unlock();
        }
    }

    /// Under the lock: starts the worker that writes, unless it is being started. Called while [#writer()] gives null.
    ///
    /// @throws PerigeeException [Fault#WORKER_FAILED] if the last start failed and the next one is not due yet,
    ///     [Fault#CLOSED]
    void startWriter() {
        throwIfUseless(!isWriterStarting);
        if (isWriterStarting || !starts.isDue()) return;
        replaceWriter();
    }

    private void replaceWriter() {
        writing = null;
        isWriterStarting = true;
        start(true, worker -> writing = worker, () -> isWriterStarting = false);
    }

    /// Called when a worker has become busy, so that the watching thread checks it.
    void watchBusy() {
        watch.wake();
    }

    Stats stats() {
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
    List<Long> pids() {
        lock.lock();
        try {
            return all.stream().map(Worker::pid).toList();
        } finally {
            lock.unlock();
        }
    }

    /// Kills all workers. Returns when they are gone.
    @Override
    public void close() {
        List<Worker> left;
        lock.lock();
        try {
            isClosed = true;
            starts.close();
            left = new ArrayList<>(all);
            all.clear();
            idle.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        watch.end();
        left.forEach(Worker::close);
    }

    /// Under the lock.
    ///
    /// @throws PerigeeException [Fault#CLOSED]
    void throwIfClosed() {
        if (isClosed) throw Fault.CLOSED.saying("The server is being closed and runs no more statements.");
    }

    /// Under the lock: throws if no worker can be expected.
    ///
    /// @param hasNone whether there is no worker to wait for
    /// @throws PerigeeException [Fault#CLOSED] once closed. [Fault#WORKER_FAILED] if `hasNone`, the last start failed,
    ///     and the next start is not due yet
    void throwIfUseless(boolean hasNone) {
        throwIfClosed();
        if (hasNone) starts.throwIfPutOff();
    }

    /// Removes a worker, starts its replacement, and kills it.
    void discard(Worker worker) {
        boolean wasHere;
        lock.lock();
        try {
            wasHere = forget(worker);
        } finally {
            lock.unlock();
        }
        if (wasHere) worker.close();
    }

    /// Under the lock: removes a worker and starts its replacement.
    ///
    /// @return false if it was already removed
    private boolean forget(Worker worker) {
        if (!all.remove(worker)) return false;
        idle.remove(worker);
        Worker.Reason reason = worker.killed();
        if (reason == null) crashed++;
        else kills.merge(reason, 1L, Long::sum);
        if (worker == writing) {
            replaceWriter();
        } else {
            readers--;
            if (reason != Worker.Reason.NO_LONGER_WANTED) noteLoss();
            startOne();
        }
        return true;
    }

    /// Under the lock: keeps one more worker ready, because a caller whose statement cost a worker will probably send
    /// it again.
    private void noteLoss() {
        lastLossNanos = System.nanoTime();
        if (idle.size() > 1 || spares == config.size()) return;
        spares++;
        startOne();
    }

    /// Ends a spare worker if no worker has been lost for a minute. Called by the watching thread.
    void dropSpare() {
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

    /// Under the lock: starts a process on another thread.
    ///
    /// @param add called under the lock with the worker that started
    /// @param done called under the lock, whether it started or not
    private void start(boolean mayWrite, Consumer<Worker> add, Runnable done) {
        if (isClosed) return;
        starts.start(mayWrite, worker -> {
            lock.lock();
            try {
                done.run();
                if (worker != null && !isClosed) {
                    started++;
                    all.add(worker);
                    add.accept(worker);
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
            if (worker != null) followEnd(worker);
        });
    }

    /// Replaces a worker that dies while it is idle. If it dies in an exchange, that exchange replaces it.
    private void followEnd(Worker worker) {
        if (isClosed()) worker.close();
        CompletableFuture<?> _ = worker.process().onExit().thenRun(() -> {
            if (!worker.isBusy()) discard(worker);
        });
    }

    /// The workers that are up.
    List<Worker> current() {
        lock.lock();
        try {
            return List.copyOf(all);
        } finally {
            lock.unlock();
        }
    }

    boolean isClosed() {
        lock.lock();
        try {
            return isClosed;
        } finally {
            lock.unlock();
        }
    }

    /// Replaces an idle worker that holds much memory, because its allocator would keep that memory.
    void retireIfLarge(Worker worker) {
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
}
