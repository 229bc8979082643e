package dev.perigee.plugin;

import dev.perigee.sqlite.SqliteStatement;

/// Many statements of a caller in one transaction on the replica, on the thread that writes. Not to be kept.
public interface BulkWrite {
    /// Work with the statements; what it throws undoes all of them.
    @FunctionalInterface
    interface Work<T> {
        T run(BulkWrite bulk);
    }

    /// A statement under the caller's rights, to be bound and run many times. It is closed with the transaction.
    SqliteStatement prepare(String sql);

    /// Runs one statement under the caller's rights; its rows are dropped.
    void run(String sql);

    /// Whether a statement that failed undid all of the transaction, as `ON CONFLICT ROLLBACK` does: nothing more can
    /// be run then.
    boolean isUndone();

    /// Runs work of which nothing stays when it throws; what it throws is thrown on.
    void apart(Runnable work);
}
