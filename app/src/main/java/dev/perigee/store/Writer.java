package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.sqlite.SqliteConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The thread that owns the write connection, and the queue in front of it.
///
/// It is a platform thread, because native calls would pin a virtual thread's carrier.
final class Writer {
    /// How long closing waits for queued writes. After that, the running write is interrupted and the others fail.
    private static final Duration CLOSE_WAIT = Duration.ofSeconds(30);

    private static final Logger LOG = LoggerFactory.getLogger(Writer.class);

    private final Path file;
    private final StoreConfig config;
    private final Watchdog watchdog;
    private final ReadPool readers;
    private final HandoffQueue<PendingWrite<?>> queue;
    private volatile ChangeObserver observer = ChangeObserver.NONE;
    private final AtomicLong copyChanges = new AtomicLong();
    private final CompletableFuture<Opened> opened = new CompletableFuture<>();
    private final Thread thread;

    /// The objects that exist once the file is open.
    private record Opened(
            SqliteConnection connection,
            TimeGuard guard,
            GroupCommit group,
            Checkpoints checkpoints,
            FileIdentity identity) {}

    Writer(Path file, StoreConfig config, Watchdog watchdog, ServingThreads threads, ReadPool readers) {
        this.thread = Thread.ofPlatform()
                .name("perigee-writer")
                .stackSize(Connections.STACK_BYTES)
                .unstarted(threads.vital("writer", this::run));
        this.file = file;
        this.config = config;
        this.watchdog = watchdog;
        this.readers = readers;
        this.queue = new HandoffQueue<>(config.writeQueue());
    }

    /// Starts the thread. Returns once the file is open for writing; throws what prevented that.
    void start() {
        thread.start();
        Store.await(opened);
    }

    void observer(ChangeObserver given) {
        observer = given;
    }

    ChangeObserver observer() {
        return observer;
    }

    long copyChanges() {
        return copyChanges.get();
    }

    long pageCacheBytes() {
        return config.pageCacheBytes();
    }

    boolean isCurrentThread() {
        return Thread.currentThread() == thread;
    }

    int queued() {
        return queue.size();
    }

    Checkpoints.Counts checkpoints() {
        return opened.join().checkpoints().counts();
    }

    /// Why nothing can be written at the moment; empty if no reason is known.
    Optional<PerigeeException> trouble() {
        Opened now = opened.join();
        return now.identity().lost().or(() -> Optional.ofNullable(now.group().trouble()));
    }

    /// Adds a write to the queue. Waits if the queue is full.
    ///
    /// @throws PerigeeException [Fault#BUSY] after [Store#QUEUE_WAIT], [Fault#CLOSED]
    void enqueue(PendingWrite<?> write) {
        switch (queue.offer(write, Store.QUEUE_WAIT.toNanos())) {
            case ACCEPTED -> {}
            case CLOSED -> throw closed();
            case FULL ->
                throw Fault.BUSY.in(
                        where(),
                        "a write waited %d s for space in the queue of %d writes"
                                .formatted(Store.QUEUE_WAIT.toSeconds(), config.writeQueue()),
                        "Nothing was written");
        }
    }

    /// Finishes the queued writes, empties the WAL and closes the file. The readers must be closed before.
    void close() {
        queue.close();
        if (joined(CLOSE_WAIT) || !opened.isDone() || opened.isCompletedExceptionally()) return;
        LOG.warn("Queued writes did not finish within {} s of closing; they are failed", CLOSE_WAIT.toSeconds());
        for (PendingWrite<?> write : queue.drain()) write.failed(closed());
        opened.join().guard().end(new TimeGuard.End(Fault.CLOSED, "the replica is being closed"));
        if (!joined(CLOSE_WAIT)) LOG.error("A write does not end; its thread is left running");
    }

    private boolean joined(Duration wait) {
        try {
            return thread.getState() == Thread.State.NEW || thread.join(wait);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void run() {
        SqliteConnection connection;
        try {
            connection = Connections.writer(file, config);
        } catch (Throwable e) {
            queue.close();
            opened.completeExceptionally(e);
            return;
        }
        try (connection) {
            TimeGuard guard = watchdog.guard(connection, () -> Store.size(Connections.wal(file)));
            try (StatementCache statements = new StatementCache(connection)) {
                OpenTransaction transaction = new OpenTransaction(
                        where(), connection, statements, guard, this::observer, copyChanges::incrementAndGet);
                GroupCommit group = new GroupCommit(
                        where(), connection, transaction, this::observer, readers::committed, GroupCommit.MAX_TIME);
                Checkpoints checkpoints = new Checkpoints(connection, file, config, readers);
                FileIdentity identity = FileIdentity.of(file);
                opened.complete(new Opened(connection, guard, group, checkpoints, identity));
                writeUntilClosed(group, checkpoints, identity);
                checkpoints.last();
            } finally {
                watchdog.forget(guard);
            }
        } catch (Throwable e) {
            if (!opened.completeExceptionally(e)) throw e;
        } finally {
            queue.close();
            for (PendingWrite<?> write : queue.drain()) write.failed(closed());
        }
    }

    private void writeUntilClosed(GroupCommit group, Checkpoints checkpoints, FileIdentity identity) {
        while (true) {
            PendingWrite<?> first = queue.take(checkpoints.nanosToNextTry());
            if (first != null) {
                Optional<PerigeeException> lost = identity.lost();
                if (lost.isPresent()) first.failed(lost.get());
                else group.run(first, this::next);
            } else if (queue.isDrained()) {
                return;
            }
            checkpoints.tryNow();
        }
    }

    private @Nullable PendingWrite<?> next() {
        return queue.poll();
    }

    private PerigeeException closed() {
        return Fault.CLOSED.in(where(), "it accepts no more writes", "Nothing was written");
    }

    private String where() {
        return "replica " + file;
    }
}
