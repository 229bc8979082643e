package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.sqlite.SqliteConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One thread with one read-only connection: takes read after read, each in a read transaction of its own.
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
        thread = Thread.ofPlatform().name(name).start(() -> run(file, config, pool));
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
                opened.complete(null);
                for (PendingRead<?> read = queue.take(); read != null; read = queue.take()) {
                    try {
                        if (read.claim()) answer(read, connection, transaction);
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

    private static <T extends @Nullable Object> void answer(
            PendingRead<T> read, SqliteConnection connection, OpenTransaction transaction) {
        try {
            connection.exec("BEGIN");
            @Nullable T result;
            try {
                result = read.run(transaction);
            } finally {
                // Nothing to keep: it was a read. An error may have closed it already.
                if (!connection.isAutocommit()) connection.exec("ROLLBACK");
            }
            read.future().complete(result);
        } catch (Throwable e) {
            read.failed(e);
        }
    }
}
