package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.sqlite.SqliteConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The reader threads and the queue in front of them. A caller waits for its read; one reader is always kept free of
/// callers' reads, for Perigee's own.
///
/// Safe for many threads.
final class ReadPool {
    /// How long a read may wait for a free reader.
    static final Duration READER_WAIT = Duration.ofSeconds(5);

    /// How many reads of each kind, callers' and Perigee's own, may wait for a reader.
    static final int MAX_WAITING = 1024;

    /// How many connections serve short reads on the calling thread. Each is opened when it is first needed.
    static final int INLINE_READERS = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4);

    private static final Duration CLOSE_WAIT = Duration.ofSeconds(10);
    private static final Logger LOG = LoggerFactory.getLogger(ReadPool.class);

    private final Path file;
    private final StoreConfig config;
    private final Watchdog watchdog;
    private final ServingThreads threads;
    private final Duration readerWait;
    private final ReadQueue queue;
    private final AtomicLong commits = new AtomicLong();
    private final List<Reader> readers = new ArrayList<>();
    private final List<InlineReader> inlineReaders = new ArrayList<>();

    /// The guards of all connections that read: the readers, the inline readers, and a backup while it runs.
    private final List<TimeGuard> guards = new CopyOnWriteArrayList<>();

    ReadPool(Path file, StoreConfig config, Watchdog watchdog, ServingThreads threads, Duration readerWait) {
        this.readerWait = readerWait;
        this.file = file;
        this.config = config;
        this.watchdog = watchdog;
        this.threads = threads;
        this.queue = new ReadQueue(MAX_WAITING, config.callerReaders());
        for (int i = 1; i <= config.readers(); i++) {
            readers.add(new Reader("perigee-reader-" + i, queue));
        }
        for (int i = 0; i < INLINE_READERS; i++) inlineReaders.add(new InlineReader(file, config, this));
    }

    int callerReaders() {
        return config.callerReaders();
    }

    /// Called by the writer after each commit, before any caller is told of it.
    void committed() {
        commits.incrementAndGet();
    }

    /// How many times [#committed] was called.
    long commits() {
        return commits.get();
    }

    /// Starts the reader threads. Returns once each has opened its connection.
    void start() {
        for (Reader reader : readers) reader.start(file, config, this, threads);
        for (Reader reader : readers) reader.awaitOpened();
    }

    /// Queues a read and returns its future. Before that, waits until the read has ended, or until the reader wait has
    /// passed and a reader has begun it.
    ///
    /// @param isCallers whether it runs a caller's statement, rather than Perigee's own
    /// @throws PerigeeException [Fault#BUSY] if no reader was free in time or too many reads wait, [Fault#CLOSED]
    <T extends @Nullable Object> CompletableFuture<T> run(TransactionWork<T> work, long limitNanos, boolean isCallers) {
        PendingRead<T> read = new PendingRead<>(work, limitNanos, isCallers);
        switch (queue.offer(read)) {
            case ACCEPTED -> awaitStart(read);
            case CLOSED -> throw closed();
            case FULL -> throw busy(read, "%d reads are already waiting for one".formatted(MAX_WAITING));
        }
        return read.future();
    }

    /// Runs a short read on this thread.
    ///
    /// @return empty, and nothing was run, if all connections for short reads are in use
    <T> Optional<T> tryHere(TransactionWork<T> work, long limitNanos) {
        // The same thread starts with the same connection, whose page cache has what the thread read last.
        int first = (int) (Thread.currentThread().threadId() % INLINE_READERS);
        for (int i = 0; i < INLINE_READERS; i++) {
            Optional<T> result = inlineReaders.get((first + i) % INLINE_READERS).tryRun(work, limitNanos);
            if (result.isPresent()) return result;
        }
        return Optional.empty();
    }

    /// Copies the replica as it is now. Runs on a thread and a connection of its own, so that no reader is occupied.
    CompletableFuture<@Nullable Void> backup(Path target) {
        CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
        Thread.ofPlatform()
                .name("perigee-backup")
                .stackSize(Connections.STACK_BYTES)
                .start(() -> {
                    try {
                        new Backup(file, config, this).to(target);
                        done.complete(null);
                    } catch (Throwable e) {
                        done.completeExceptionally(e);
                    }
                });
        return done;
    }

    boolean isCurrentThread() {
        Thread current = Thread.currentThread();
        for (Reader reader : readers) if (reader.thread() == current) return true;
        for (InlineReader reader : inlineReaders) if (reader.isCurrentThread()) return true;
        return false;
    }

    int active() {
        int count = 0;
        for (TimeGuard guard : guards) if (guard.isRunning()) count++;
        return count;
    }

    /// Ends the read that has run longest.
    ///
    /// @return false if no read is running, other than those already told to end
    boolean endOldest(TimeGuard.End why) {
        long now = System.nanoTime();
        TimeGuard oldest = null;
        long oldestNanos = 0;
        for (TimeGuard guard : guards) {
            long ranNanos = now - guard.startedNanosOr(now + 1);
            if (ranNanos >= 0 && (oldest == null || ranNanos > oldestNanos)) {
                oldest = guard;
                oldestNanos = ranNanos;
            }
        }
        // It may have ended by itself meanwhile; then the next oldest is ended. Either way the caller checks the WAL
        // again.
        return oldest != null && (oldest.end(why) || endOldest(why));
    }

    TimeGuard register(SqliteConnection connection) {
        return register(connection, () -> {});
    }

    /// @param rest called by the watchdog while no work runs under this guard: as long as limited work runs elsewhere,
    ///     and for a while afterwards
    TimeGuard register(SqliteConnection connection, Runnable rest) {
        TimeGuard guard = watchdog.guard(connection, () -> 0, rest); // Reads add nothing to the WAL.
        guards.add(guard);
        return guard;
    }

    void unregister(TimeGuard guard) {
        guards.remove(guard);
        watchdog.forget(guard);
    }

    /// Fails the waiting reads, ends the running ones, and closes the connections.
    void close() {
        queue.close();
        for (PendingRead<?> read : queue.drain()) read.failed(closed());
        TimeGuard.End end = new TimeGuard.End(Fault.CLOSED, "the replica is being closed");
        for (TimeGuard guard : guards) guard.end(end);
        for (InlineReader reader : inlineReaders) reader.close();
        for (Reader reader : readers) {
            if (!reader.join(CLOSE_WAIT))
                LOG.error("A read does not end; its thread {} is left running", reader.thread());
        }
    }

    /// Waits until the read has ended. After the reader wait, gives up with [Fault#BUSY] if no reader has begun it. An
    /// interrupt does the same at once; the interrupt flag stays set.
    private void awaitStart(PendingRead<?> read) {
        try {
            read.future().get(readerWait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException _) {
            // The caller gets it from the future.
        } catch (TimeoutException _) {
            if (read.claim()) throw busy(read, "none was free for %d ms".formatted(readerWait.toMillis()));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            if (read.claim()) throw busy(read, "the wait for one was interrupted");
        }
    }

    private PerigeeException busy(PendingRead<?> read, String what) {
        queue.remove(read);
        int readers = read.isCallers() ? config.callerReaders() : config.readers();
        return Fault.BUSY.in(
                "replica " + file,
                "a read needs one of %d readers, but %s".formatted(readers, what),
                "Nothing was read");
    }

    private PerigeeException closed() {
        return Fault.CLOSED.in("replica " + file, "it accepts no more reads", "Nothing was read");
    }
}
