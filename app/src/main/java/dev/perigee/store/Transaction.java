package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;

/// An open transaction, for use on the thread that runs the work. It must not be kept after the work has ended.
public interface Transaction {
    /// A statement from the connection's cache, reset and without bindings. Callers do not close it; the transaction
    /// takes it back. A second call with the same text returns the same statement, reset.
    SqliteStatement statement(String sql);

    /// The connection itself, for what a cached statement cannot do, such as preparing statements under an authorizer.
    /// Before the work ends, the authorizer must again allow everybody else's statements.
    SqliteConnection connection();

    /// Announces that the work is about to alter the table. The [ChangeObserver] then removes its triggers on the table
    /// until the commit. Only in writes.
    void altering(String table);

    /// Announces that the work is about to drop the table. Only in writes.
    void dropping(String table);

    /// Notes that this write changes a copy. Answers of the source that were cached earlier are thereby out of date;
    /// see [Store#copyChanges()]. Only in writes.
    void copyChanged();
}
