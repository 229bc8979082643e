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

/// The readers and the queue in front of them; whoever reads waits. One reader is always left to Perigee's own reads.
final class ReadPool {
    /// How long a read may wait for a free reader.
    static final Duration READER_WAIT = Duration.ofSeconds(5);

    /// Reads of callers that may wait for a reader, and of Perigee's own.
    static final int MAX_WAITING = 1024;

    /// Connections for short reads on the threads that want them; each is opened when it is first needed.
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

    /// The guards of all that reads: the readers, and a backup while it runs.
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

    /// The writer has committed, and is about to tell so.
    void committed() {
        commits.incrementAndGet();
    }

    /// How many times [#committed] was called.
    long commits() {
        return commits.get();
    }

    /// Returns once every reader has its connection.
    void start() {
        for (Reader reader : readers) reader.start(file, config, this, threads);
        for (Reader reader : readers) reader.awaitOpened();
    }

    /// @param isCallers whether it runs what a caller sent, rather than Perigee's own statements
    <T extends @Nullable Object> CompletableFuture<T> run(TransactionWork<T> work, long limitNanos, boolean isCallers) {
        PendingRead<T> read = new PendingRead<>(work, limitNanos, isCallers);
        switch (queue.offer(read)) {
            case ACCEPTED -> awaitStart(read);
            case CLOSED -> throw closed();
            case FULL -> throw busy(read, "%d reads wait for one already".formatted(MAX_WAITING));
        }
        return read.future();
    }

    /// Runs a short read on this thread.
    ///
    /// @return empty, and nothing was run, if all connections for that are in use
    <T> Optional<T> tryHere(TransactionWork<T> work, long limitNanos) {
        // A thread that comes again finds what it read last in its connection's page cache.
        int first = (int) (Thread.currentThread().threadId() % INLINE_READERS);
        for (int i = 0; i < INLINE_READERS; i++) {
            Optional<T> result = inlineReaders.get((first + i) % INLINE_READERS).tryRun(work, limitNanos);
            if (result.isPresent()) return result;
        }
        return Optional.empty();
    }

    /// A copy of the replica as of now; on a thread and a connection of its own, so that readers stay free.
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

    /// Ends the read that has run the longest.
    ///
    /// @return false if there is none that was not told to end already
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
        // It may have ended in between; the caller looks at the WAL again in either case.
        return oldest != null && (oldest.end(why) || endOldest(why));
    }

    TimeGuard register(SqliteConnection connection) {
        return register(connection, () -> {});
    }

    /// @param rest called now and then while limited work runs anywhere, and for a while after
    TimeGuard register(SqliteConnection connection, Runnable rest) {
        TimeGuard guard = watchdog.guard(connection, () -> 0, rest); // They add nothing to the WAL.
        guards.add(guard);
        return guard;
    }

    void unregister(TimeGuard guard) {
        guards.remove(guard);
        watchdog.forget(guard);
    }

    /// Reads that wait fail, reads that run are ended.
    void close() {
        queue.close();
        for (PendingRead<?> read : queue.drain()) read.failed(closed());
        TimeGuard.End end = new TimeGuard.End(Fault.CLOSED, "the replica is being closed");
        for (TimeGuard guard : guards) guard.end(end);
        for (InlineReader reader : inlineReaders) reader.close();
        for (Reader reader : readers) {
            if (!reader.join(CLOSE_WAIT))
                LOG.error("A read does not end; its thread {} is left behind", reader.thread());
        }
    }

    /// Waits until a reader has the read, or gives up. An interrupt gives up too, and is kept.
    private void awaitStart(PendingRead<?> read) {
        try {
            read.future().get(readerWait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException _) {
            // The caller of the future is told.
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
        return Fault.CLOSED.in("replica " + file, "it takes no more reads", "Nothing was read");
    }
}
