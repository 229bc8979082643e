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

/// The worker processes that are up or being started: those that read, spare ones among them, and the one that writes.
/// [WorkerPool] lends them to callers.
///
/// A worker that is gone, whatever the reason, is replaced at once. Once a worker had to be killed, a spare one is kept
/// ready. [WorkerWatch] kills those past their time or memory.
///
/// Safe for many threads. Methods that are marked so are called with [#lock] held, by the pool together with its own
/// accounts; [#changed] is signalled when there may be another idle worker, or none any more.
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

    /// Starts no process yet.
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

    /// Under the lock: whether a worker that reads is up.
    boolean hasReader() {
        return readers > 0;
    }

    /// Under the lock.
    boolean isReaderStarting() {
        return starting > 0;
    }

    /// Under the lock: workers that read and are in no exchange.
    int idleCount() {
        return idle.size();
    }

    /// Under the lock: takes the idle worker that was in use last; null if there is none.
    @Nullable
    Worker pollIdle() {
        while (true) {
            Worker worker = idle.pollFirst();
            if (worker == null || worker.isUsable()) return worker;
            forget(worker);
        }
    }

    /// Under the lock: a worker that [#pollIdle()] gave is idle again, unless it is gone.
    void giveBack(Worker worker) {
        // Last in, first out: what a worker has in its caches is used again, and those not needed stay idle.
        if (all.contains(worker)) idle.addFirst(worker);
        changed.signalAll();
    }

    /// Under the lock: starts workers until as many as are wanted are idle or being started, and no more than there may
    /// be.
    void startFor(int wanted) {
        int most = config.size() + spares;
        while (starts.isDue() && idle.size() + starting < wanted && readers + starting < most) startOne();
    }

    /// The one that writes; null while it is not up.
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

    /// Under the lock: starts the one that writes, if it neither is up nor being started.
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

    /// Called when a worker has become busy: it is looked at from now on.
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

    /// Kills all workers, and returns when they are gone.
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

    /// Under the lock.
    ///
    /// @param hasNone whether there is no worker to wait for
    /// @throws PerigeeException [Fault#WORKER_FAILED] if the last start failed too and the next one is not due yet,
    ///     [Fault#CLOSED]
    void throwIfUseless(boolean hasNone) {
        throwIfClosed();
        if (hasNone) starts.throwIfPutOff();
    }

    /// Takes a worker out and starts the one that takes its place.
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
            replaceWriter();
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

    /// @param add called with it under the lock
    /// @param done called under the lock whether it started or not
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

    /// An idle worker's death is noticed here; a busy one's is by its exchange too.
    private void followEnd(Worker worker) {
        if (isClosed()) worker.close();
        CompletableFuture<?> _ = worker.process().onExit().thenRun(() -> {
            if (!worker.isBusy()) discard(worker);
        });
    }

    /// Those that are up.
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

    /// A worker that keeps much memory after its exchange is replaced: the allocator would keep it for the next.
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
