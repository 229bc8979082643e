package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.sqlite.SqliteConnection;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A read-only connection that is lent to whatever thread comes, for reads that are known to be short: handing one to a
/// [Reader] and its rows back costs more than a read by key itself.
///
/// Its read transaction is shared as a reader's is, see [SharedRead]; nobody waits for the next read here, so [#rest]
/// closes it.
final class InlineReader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InlineReader.class);

    private final ReentrantLock lock = new ReentrantLock();
    private final Path file;
    private final StoreConfig config;
    private final ReadPool pool;
    private @Nullable Open open;
    private boolean isClosed;

    /// What belongs to the connection.
    private record Open(
            SqliteConnection connection,
            StatementCache statements,
            TimeGuard guard,
            OpenTransaction transaction,
            SharedRead shared) {}

    InlineReader(Path file, StoreConfig config, ReadPool pool) {
        this.file = file;
        this.config = config;
        this.pool = pool;
    }

    /// Runs `work` on this thread, in a read transaction.
    ///
    /// @return empty, and nothing was run, if another thread has the connection or it is closed
    <T> Optional<T> tryRun(TransactionWork<T> work, long limitNanos) {
        if (!lock.tryLock()) return Optional.empty();
        try {
            if (isClosed) return Optional.empty();
            Open reader = opened();
            try {
                reader.shared.begin();
                return Optional.ofNullable(reader.transaction.run(work, limitNanos, "Nothing was changed"));
            } catch (Throwable e) {
                end(reader); // What has failed is not shared with others.
                throw e;
            }
        } finally {
            lock.unlock();
        }
    }

    /// Closes a read transaction that is no longer used: it would keep the WAL from being emptied.
    void rest() {
        if (!lock.tryLock()) return;
        try {
            if (open != null) open.shared.endIfOld();
        } catch (RuntimeException e) {
            replace(e);
        } finally {
            lock.unlock();
        }
    }

    private void end(Open reader) {
        try {
            reader.shared.end();
        } catch (RuntimeException e) {
            replace(e);
        }
    }

    /// The next read opens a connection of its own.
    private void replace(RuntimeException why) {
        LOG.error("A connection for short reads cannot be used any more; it is replaced", why);
        Open broken = open;
        open = null;
        if (broken == null) return;
        pool.unregister(broken.guard);
        try {
            broken.statements.close();
            broken.connection.close();
        } catch (RuntimeException e) {
            LOG.warn("It could not be closed", e);
        }
    }

    boolean isCurrentThread() {
        return lock.isHeldByCurrentThread();
    }

    private Open opened() {
        Open reader = open;
        if (reader == null) {
            SqliteConnection connection = Connections.reader(file, config);
            StatementCache statements = new StatementCache(connection);
            TimeGuard guard = pool.register(connection, this::rest);
            OpenTransaction transaction = new OpenTransaction("read of replica " + file, connection, statements, guard);
            reader = new Open(connection, statements, guard, transaction, new SharedRead(connection, pool::commits));
            open = reader;
        }
        return reader;
    }

    /// Waits for a read that runs.
    @Override
    public void close() {
        lock.lock();
        try {
            isClosed = true;
            Open reader = open;
            open = null;
            if (reader == null) return;
            reader.shared.end();
            pool.unregister(reader.guard);
            reader.statements.close();
            reader.connection.close();
        } finally {
            lock.unlock();
        }
    }
}
