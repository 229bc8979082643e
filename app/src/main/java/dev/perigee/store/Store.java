package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/// The replica file `perigee.db`: one writer, many readers.
public final class Store implements AutoCloseable {
    /// A piece of work inside a transaction. What it throws rolls back what it did, and only that.
    @FunctionalInterface
    public interface Work<T extends @org.jspecify.annotations.Nullable Object> {
        T run(Transaction transaction);
    }

    /// An open transaction, on the thread that owns its connection. Not to be kept.
    public interface Transaction {
        /// A statement from the connection's cache, reset and without bindings. It is given back by the transaction;
        /// callers do not close it.
        SqliteStatement statement(String sql);

        /// The connection itself, for what a cached statement cannot do.
        SqliteConnection connection();
    }

    /// @param databaseBytes size of the database file
    /// @param walBytes size of its WAL
    /// @param queuedWrites writes that wait for the writer
    /// @param activeReads reads that run
    /// @param checkpoints checkpoints that moved frames since the start
    /// @param interruptedReads reads ended because they kept the WAL from being emptied
    public record Stats(
            long databaseBytes,
            long walBytes,
            int queuedWrites,
            int activeReads,
            long checkpoints,
            long interruptedReads) {}

    private Store() {}

    /// Opens or creates the replica, takes the data folder's lock and migrates Perigee's tables.
    public static Store open(StoreConfig config) {
        throw new UnsupportedOperationException();
    }

    /// Runs `work` on the writer in a transaction and returns once it is committed. Not to be called from inside work.
    public <T extends @org.jspecify.annotations.Nullable Object> T write(Work<T> work) {
        throw new UnsupportedOperationException();
    }

    /// As [#write], with a limit on the run of `work` itself; past it the statement fails with
    /// [dev.perigee.fault.Fault#TIME_LIMIT] and nothing is written.
    public <T extends @org.jspecify.annotations.Nullable Object> T write(Duration limit, Work<T> work) {
        throw new UnsupportedOperationException();
    }

    /// Queues `work`; completes after its commit. Waits while the queue is full. Writes that wait together commit
    /// together, each in a savepoint of its own.
    public <T extends @org.jspecify.annotations.Nullable Object> CompletableFuture<T> submit(Work<T> work) {
        throw new UnsupportedOperationException();
    }

    /// Runs `work` in a read transaction on one of the readers, while the caller waits.
    public <T extends @org.jspecify.annotations.Nullable Object> T read(Duration limit, Work<T> work) {
        throw new UnsupportedOperationException();
    }

    public Path file() {
        throw new UnsupportedOperationException();
    }

    public Stats stats() {
        throw new UnsupportedOperationException();
    }

    /// Finishes queued writes, ends readers, empties the WAL, releases the lock. A second call does nothing.
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
