package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;

/// An open transaction, on the thread that owns its connection. Not to be kept.
public interface Transaction {
    /// A statement from the connection's cache, reset and without bindings. It is given back by the transaction;
    /// callers do not close it. Asked again for the same text, it is the same statement, reset.
    SqliteStatement statement(String sql);

    /// The connection itself, for what a cached statement cannot do: statements prepared under an authorizer, which
    /// lets everybody else's statements pass once the work has ended.
    SqliteConnection connection();

    /// The table is altered next: whoever follows its changes takes the triggers on it away until the commit. In writes
    /// only.
    void altering(String table);

    /// The table is dropped next. In writes only.
    void dropping(String table);

    /// Rows of a copy follow the source's: whatever else is remembered of the source is old, see [Store#copyChanges()].
    /// In writes only.
    void copyChanged();
}
