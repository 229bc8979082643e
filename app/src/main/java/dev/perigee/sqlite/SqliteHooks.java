package dev.perigee.sqlite;

/// What a connection tells while its transactions go on. Called on the thread that is inside the connection, in the
/// midst of SQLite: a hook must not use the connection.
///
/// What [#beforeCommit] throws rolls back. What the others throw cannot change anything any more; it is thrown on by
/// the call in which it happened, after SQLite is done with it.
public interface SqliteHooks {
    /// What happened to a row.
    enum Change {
        INSERT,
        UPDATE,
        DELETE
    }

    /// A row of a rowid table was changed. SQLite does not tell of tables without a rowid, of a `DELETE` of all rows at
    /// once, of rows replaced by `INSERT OR REPLACE`, nor of its own tables.
    ///
    /// @param rowid after the change, for an update
    /// @see <a href="https://www.sqlite.org/c3ref/update_hook.html">SQLite: Data Change Notification Callbacks</a>
    default void changed(Change change, String database, String table, long rowid) {}

    /// A transaction that wrote is about to commit.
    ///
    /// @return false to roll it back: the commit then fails with [dev.perigee.fault.Fault#CONSTRAINT]
    default boolean beforeCommit() {
        return true;
    }

    /// A transaction was rolled back; not told when the connection is closed inside one.
    default void rolledBack() {}
}
