package dev.perigee.sqlite;

import dev.perigee.fault.Fault;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Makes of SQLite's result codes what people read: the fault, SQLite's own words, and the place in the statement.
final class SqliteFailures {
    /// What is wrong with the file and not with the statement: the message names the file.
    private static final Set<Fault> OF_THE_FILE =
            EnumSet.of(Fault.BUSY, Fault.DISK_FULL, Fault.DISK_FAILED, Fault.REPLICA_CORRUPT, Fault.SQLITE_FAILED);

    private static final String LET_GO =
            "end the other program's transaction on the file, or wait for it; writing then goes on by itself";

    private final Path file;
    private final Callbacks callbacks;
    private final boolean openedReadonly;

    /// @param callbacks whose exception is the cause where a callback of ours was asked
    SqliteFailures(Path file, Callbacks callbacks, boolean openedReadonly) {
        this.file = file;
        this.callbacks = callbacks;
        this.openedReadonly = openedReadonly;
    }

    /// What went wrong while a statement was prepared, bound or run.
    ///
    /// @param connection whose last failure it is
    SqliteException inStatement(long connection, int code, StatementText.@Nullable Place place, String state) {
        Fault fault = ResultCode.fault(code, true);
        // A file that turned out to be read-only is the disk's matter; a connection that was to be so is the caller's.
        if (code == ResultCode.READONLY && !openedReadonly && NativeConnection.isReadonly(connection, 0) == 1) {
            fault = Fault.DISK_FAILED;
        }
        return make(connection, fault, code, where(place), state, place == null ? -1 : place.offset());
    }

    /// What went wrong elsewhere.
    SqliteException elsewhere(long connection, int code, String where, String state) {
        return make(connection, ResultCode.fault(code, false), code, where, state, -1);
    }

    /// A mistake in a statement that SQLite was not asked about.
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
        // The connection's own message speaks of its last failure, which for a backup may be another.
        boolean isItsLast = connection != 0
                && ResultCode.primary(NativeConnection.extendedCode(connection)) == ResultCode.primary(code);
        String said = NativeLibrary.string(
                isItsLast ? NativeConnection.message(connection) : NativeConnection.codeMeaning(code));
        // It says that too of a statement whose program has more instructions than it may.
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
