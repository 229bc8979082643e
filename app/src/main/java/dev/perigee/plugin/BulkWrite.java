package dev.perigee.plugin;

import dev.perigee.sqlite.SqliteStatement;

/// Runs many statements of an admin in one transaction on the replica, on the writer thread. It must not be kept after
/// the work has ended. See [Queries#bulk].
public interface BulkWrite {
    /// Work that uses the statements. An exception from it undoes all of them.
    @FunctionalInterface
    interface Work<T> {
        T run(BulkWrite bulk);
    }

    /// Prepares a statement with the caller's rights, to be bound and run many times. It is closed with the
    /// transaction.
    SqliteStatement prepare(String sql);

    /// Runs one statement with the caller's rights; its rows are discarded.
    void run(String sql);

    /// Whether a failed statement has undone the whole transaction, as `ON CONFLICT ROLLBACK` does. Nothing more can be
    /// run then.
    boolean isUndone();

    /// Runs work in a savepoint. If it throws, what it wrote is undone, and the exception is rethrown.
    void apart(Runnable work);
}
