package dev.perigee.sqlite;

import dev.perigee.fault.Fault;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Makes an exception of a result code: with the fault, SQLite's own message, and the place in the statement.
final class SqliteFailures {
    /// Faults of the file and not of the statement. Their message names the file.
    private static final Set<Fault> OF_THE_FILE =
            EnumSet.of(Fault.BUSY, Fault.DISK_FULL, Fault.DISK_FAILED, Fault.REPLICA_CORRUPT, Fault.SQLITE_FAILED);

    private static final String LET_GO =
            "end the other program's transaction on the file, or wait for it; writing then continues by itself";

    private final Path file;
    private final Callbacks callbacks;
    private final boolean openedReadonly;

    /// @param callbacks what they have thrown becomes the cause of the exception
    /// @param openedReadonly whether the connection was opened read-only on purpose
    SqliteFailures(Path file, Callbacks callbacks, boolean openedReadonly) {
        this.file = file;
        this.callbacks = callbacks;
        this.openedReadonly = openedReadonly;
    }

    /// The exception for a failure while a statement was prepared, bound or run.
    ///
    /// @param connection the connection on which it was the last failure
    /// @param place the place of the mistake; null if unknown
    /// @param state what holds now, such as `Nothing was run`
    SqliteException inStatement(long connection, int code, StatementText.@Nullable Place place, String state) {
        Fault fault = ResultCode.fault(code, true);
        // A file that turned out to be read-only is a fault of the disk. A connection that was opened read-only is not:
        // there the caller tried what it may not do.
        if (code == ResultCode.READONLY && !openedReadonly && NativeConnection.isReadonly(connection, 0) == 1) {
            fault = Fault.DISK_FAILED;
        }
        return make(connection, fault, code, where(place), state, place == null ? -1 : place.offset());
    }

    /// The exception for a failure outside a statement.
    SqliteException elsewhere(long connection, int code, String where, String state) {
        return make(connection, ResultCode.fault(code, false), code, where, state, -1);
    }

    /// The exception for a mistake in a statement that was found before SQLite was called.
    static SqliteException refused(String what, StatementText.@Nullable Place place) {
        String message = message(
                Fault.STATEMENT_INVALID, where(place), what, "Nothing was run", Fault.STATEMENT_INVALID.remedy());
        return new SqliteException(
                Fault.STATEMENT_INVALID, message, ResultCode.ERROR, place == null ? -1 : place.offset());
    }

    private SqliteException make(long connection, Fault fault, int code, String where, String state, int offset) {
        if (ResultCode.primary(code) == ResultCode.MISUSE) {
            throw new IllegalStateException("SQLite calls this a misuse (code %d) in %s".formatted(code, where));
        }
        // The connection's own message is about its last failure, which in a backup may be a different one.
        boolean isItsLast = connection != 0
                && ResultCode.primary(NativeConnection.extendedCode(connection)) == ResultCode.primary(code);
        String said = NativeLibrary.string(
                isItsLast ? NativeConnection.message(connection) : NativeConnection.codeMeaning(code));
        // SQLite says "out of memory" also if the statement's program has more instructions than its limit.
        if (fault == Fault.TOO_LARGE && ResultCode.primary(code) == ResultCode.NOMEM) {
            said += ", or the statement's program is longer than its limit";
        }
        boolean isUnnamed = !file.toString().isEmpty() && !where.contains(file.toString());
        String place = isUnnamed && OF_THE_FILE.contains(fault) ? "%s of %s".formatted(where, file) : where;
        String remedy = ResultCode.primary(code) == ResultCode.BUSY ? LET_GO : fault.remedy();
        String message = message(fault, place, "%s (SQLite code %d)".formatted(said, code), state, remedy);
        return new SqliteException(fault, message, remedy, code, offset, callbacks.takeFailure());
    }

    private static String where(StatementText.@Nullable Place place) {
        return place == null
                ? "SQL statement"
                : "SQL statement, line %d, column %d".formatted(place.line(), place.column());
    }

    private static String message(Fault fault, String where, String what, String state, String remedy) {
        return "%s in %s: %s. %s. To fix: %s.".formatted(fault, where, what, state, remedy);
    }
}
