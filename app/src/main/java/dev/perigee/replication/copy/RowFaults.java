package dev.perigee.replication.copy;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;

/// Tells what is wrong with a row from what is wrong with the whole file, which is never a row's fault: full disks,
/// damage, locks, memory.
final class RowFaults {
    private static final int ERROR = 1;
    private static final int MISMATCH = 20;

    private RowFaults() {}

    /// Whether storing another row with the same statement may well succeed. The transaction must still be open: a
    /// trigger may have ended it, and then all rows before are undone too.
    ///
    /// @param sql the statement that failed
    static boolean isOfRow(SqliteException failure, SqliteConnection connection, String sql) {
        if (connection.isAutocommit()) return false;
        return switch (failure.fault()) {
            // Constraints of all kinds, and triggers that raise an error; a value or a row above SQLite's limit.
            case CONSTRAINT, TOO_LARGE -> true;
            case STATEMENT_INVALID ->
                switch (failure.extendedCode() & 0xff) {
                    case MISMATCH -> true;
                    // A check or a trigger may fail on one row, as `json()` does. One that names what is not there
                    // fails on all, and already when it is prepared.
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
