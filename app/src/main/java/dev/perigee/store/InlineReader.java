package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.sqlite.SqliteConnection;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A read-only connection for short reads, used by one calling thread at a time. Handing such a read to a [Reader]
/// thread and its rows back would cost more than a read by key itself.
///
/// Successive reads share a read transaction, as on a reader thread; see [SharedRead]. No thread waits here for the
/// next read, so the watchdog closes an old transaction by [#rest].
final class InlineReader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InlineReader.class);

    private final ReentrantLock lock = new ReentrantLock();
    private final Path file;
    private final StoreConfig config;
    private final ReadPool pool;
    private @Nullable Open open;
    private boolean isClosed;

    /// An open connection and the objects bound to it.
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
    /// @return empty if another thread uses the connection or it is closed; nothing was run then. Also empty if the
    ///     work returned null
    <T> Optional<T> tryRun(TransactionWork<T> work, long limitNanos) {
        if (!lock.tryLock()) return Optional.empty();
        try {
            if (isClosed) return Optional.empty();
            Open reader = opened();
            try {
                reader.shared.begin();
                return Optional.ofNullable(reader.transaction.run(work, limitNanos, "Nothing was changed"));
            } catch (Throwable e) {
                end(reader); // A transaction that has failed is not shared.
                throw e;
            }
        } finally {
            lock.unlock();
        }
    }

    /// Closes a read transaction that is no longer used, because it would keep the WAL from being emptied. Called by
    /// the watchdog.
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

    /// Discards the broken connection. The next read opens a new one.
    private void replace(RuntimeException why) {
        LOG.error("A connection for short reads is no longer usable; it is replaced", why);
        Open broken = open;
        open = null;
        if (broken == null) return;
        pool.unregister(broken.guard);
        try {
            broken.statements.close();
            broken.connection.close();
        } catch (RuntimeException e) {
            LOG.warn("The broken connection could not be closed", e);
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

    /// Waits for a running read, then closes the connection. No read is accepted afterwards.
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
