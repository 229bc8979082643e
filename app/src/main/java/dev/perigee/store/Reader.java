package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.sqlite.SqliteConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One thread with one read-only connection: takes read after read. Those that wait are run in one
/// transaction, see
/// [SharedRead].
final class Reader {
    private static final Logger LOG = LoggerFactory.getLogger(Reader.class);

    private final ReadQueue queue;
    private final CompletableFuture<@Nullable Void> opened = new CompletableFuture<>();
    private final String name;
    private @Nullable Thread thread;

    Reader(String name, ReadQueue queue) {
        this.name = name;
        this.queue = queue;
    }

    void start(Path file, StoreConfig config, ReadPool pool) {
        thread = Thread.ofPlatform()
                .name(name)
                .stackSize(Connections.STACK_BYTES)
                .start(() -> run(file, config, pool));
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

    private void run(Path file, StoreConfig config, ReadPool pool) {
        try (SqliteConnection connection = Connections.reader(file, config);
                StatementCache statements = new StatementCache(connection)) {
            TimeGuard guard = pool.register(connection);
            try {
                OpenTransaction transaction =
                        new OpenTransaction("read of replica " + file, connection, statements, guard);
                SharedRead shared = new SharedRead(connection, pool::commits);
                opened.complete(null);
                for (PendingRead<?> read = next(shared); read != null; read = next(shared)) {
                    try {
                        if (read.claim()) answer(read, shared, transaction);
                    } finally {
                        queue.done(read);
                    }
                }
            } finally {
                pool.unregister(guard);
            }
        } catch (Throwable e) {
            if (!opened.completeExceptionally(e)) LOG.error("{} ended", name, e);
        }
    }

    /// No transaction is left open while there is nothing to read.
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

    /// What has failed is not shared with others.
    private static void fail(PendingRead<?> read, SharedRead shared, Throwable why) {
        try {
            shared.end();
        } catch (RuntimeException e) {
            LOG.warn("A read transaction could not be closed", e);
        }
        read.failed(why);
    }
}
