package dev.perigee.sqlite;

/// Receives a connection's changes, commits and rollbacks. SQLite calls the hooks in the middle of its own work, on the
/// thread that is inside the connection: a hook must not use the connection.
///
/// An exception of [#beforeCommit] rolls the transaction back. Exceptions of the other hooks change nothing. Each is
/// thrown by the call in which it happened, after SQLite has finished that call.
public interface SqliteHooks {
    /// What happened to a row.
    enum Change {
        INSERT,
        UPDATE,
        DELETE
    }

    /// A row of a rowid table was changed. SQLite does not call this for tables without a rowid, nor for its own
    /// tables. It does not call it either for a `DELETE` of all rows at once, or for rows that `INSERT OR REPLACE`
    /// replaces.
    ///
    /// @param rowid the row's rowid; for an update, the one after the change
    /// @see <a href="https://www.sqlite.org/c3ref/update_hook.html">SQLite: Data Change Notification Callbacks</a>
    default void changed(Change change, String database, String table, long rowid) {}

    /// A transaction that wrote is about to commit.
    ///
    /// @return false to roll it back: the commit then fails with [dev.perigee.fault.Fault#CONSTRAINT]
    default boolean beforeCommit() {
        return true;
    }

    /// A transaction was rolled back. Not called when the connection is closed inside a transaction.
    default void rolledBack() {}
}
