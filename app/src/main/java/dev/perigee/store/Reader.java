package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.ServingThreads;
import dev.perigee.sqlite.SqliteConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A thread with one read-only connection, which runs one read after the other. Reads that are waiting share one
/// transaction; see [SharedRead]. If the connection becomes unusable, the thread opens another.
final class Reader {
    private final ReadQueue queue;
    private final CompletableFuture<@Nullable Void> opened = new CompletableFuture<>();
    private final String name;
    private @Nullable Thread thread;

    Reader(String name, ReadQueue queue) {
        this.name = name;
        this.queue = queue;
    }

    void start(Path file, StoreConfig config, ReadPool pool, ServingThreads threads) {
        thread = Thread.ofPlatform()
                .name(name)
                .stackSize(Connections.STACK_BYTES)
                .start(threads.repeated("reader", serving -> open(file, config, pool, serving)));
    }

    void awaitOpened() {
        Store.await(opened);
    }

    @Nullable
    Thread thread() {
        return thread;
    }

    boolean join(Duration wait) {
        if (thread == null) return true;
        try {
            return thread.join(wait);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /// Opens a connection and serves reads. If the first connection cannot be opened, [#awaitOpened] reports that and
    /// the thread ends. Later failures are thrown, so that [ServingThreads] starts this again.
    private void open(Path file, StoreConfig config, ReadPool pool, Runnable serving) {
        try {
            run(file, config, pool, serving);
        } catch (Throwable e) {
            if (!opened.completeExceptionally(e)) throw e;
        }
    }

    private void run(Path file, StoreConfig config, ReadPool pool, Runnable serving) {
        try (SqliteConnection connection = Connections.reader(file, config);
                StatementCache statements = new StatementCache(connection)) {
            TimeGuard guard = pool.register(connection);
            try {
                OpenTransaction transaction =
                        new OpenTransaction("read of replica " + file, connection, statements, guard);
                SharedRead shared = new SharedRead(connection, pool::commits);
                opened.complete(null);
                serving.run();
                for (PendingRead<?> read = next(shared); read != null; read = next(shared)) {
                    try {
                        if (read.claim()) answer(read, shared, transaction);
                    } finally {
                        queue.done(read);
                    }
                    connection.isAutocommit(); // Throws if the work has closed it, before the next read is taken.
                }
            } finally {
                pool.unregister(guard);
            }
        }
    }

    /// Takes the next read. Ends the shared transaction before it waits for one.
    private @Nullable PendingRead<?> next(SharedRead shared) {
        PendingRead<?> waiting = queue.poll();
        if (waiting != null) return waiting;
        shared.end();
        return queue.take();
    }

    private static <T extends @Nullable Object> void answer(
            PendingRead<T> read, SharedRead shared, OpenTransaction transaction) {
        @Nullable T result;
        try {
            shared.begin();
            result = read.run(transaction);
        } catch (Throwable e) {
            fail(read, shared, e);
            return;
        }
        read.future().complete(result);
    }

    /// Ends the shared transaction, because a transaction that has failed is not shared, and fails the read.
    ///
    /// @throws RuntimeException if the transaction cannot be ended; the connection is then unusable
    private static void fail(PendingRead<?> read, SharedRead shared, Throwable why) {
        try {
            shared.end();
        } finally {
            read.failed(why);
        }
    }
}
