package dev.perigee.replication.copy;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;

/// Tells failures that concern one row from failures that concern the whole file. A full disk, a damaged file, a lock
/// and a lack of memory are never a row's fault.
public final class RowFaults {
    private static final int ERROR = 1;
    private static final int MISMATCH = 20;

    private RowFaults() {}

    /// Whether only this row failed, so that storing another row with the same statement may well succeed. False where
    /// the transaction is no longer open: a trigger may have ended it, and then all earlier rows were undone too.
    ///
    /// @param sql the statement that failed
    public static boolean isOfRow(SqliteException failure, SqliteConnection connection, String sql) {
        if (connection.isAutocommit()) return false;
        return switch (failure.fault()) {
            // A constraint, a trigger that raises an error, or a value or row above SQLite's size limit.
            case CONSTRAINT, TOO_LARGE -> true;
            case STATEMENT_INVALID ->
                switch (failure.extendedCode() & 0xff) {
                    case MISMATCH -> true;
                    // A CHECK constraint or a trigger may fail on one row, as `json()` does. A statement that names a
                    // missing column or function fails on every row, and already when it is prepared.
                    case ERROR -> prepares(connection, sql);
                    default -> false;
                };
            default -> false;
        };
    }

    private static boolean prepares(SqliteConnection connection, String sql) {
        try {
            connection.prepare(sql).close();
            return true;
        } catch (SqliteException e) {
            return false;
        }
    }
}
