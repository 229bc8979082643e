package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.LONG;
import static dev.perigee.sqlite.NativeLibrary.SHORT;
import static dev.perigee.sqlite.NativeLibrary.SHORT_WITH_HEAP;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The C functions to prepare, run, close and describe a statement.
///
/// @see <a href="https://www.sqlite.org/c3ref/stmt.html">SQLite: Prepared Statement Object</a>
final class NativeStatement {
    private static final MethodHandle PREPARE =
            link("sqlite3_prepare_v3", LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle STEP = link("sqlite3_step", LONG, JAVA_INT, JAVA_LONG);
    private static final MethodHandle RESET = link("sqlite3_reset", LONG, JAVA_INT, JAVA_LONG);
    private static final MethodHandle CLOSE = link("sqlite3_finalize", LONG, JAVA_INT, JAVA_LONG);
    private static final MethodHandle IS_READONLY = link("sqlite3_stmt_readonly", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle COLUMN_COUNT = link("sqlite3_column_count", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle COLUMN_NAME = link("sqlite3_column_name", SHORT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle DECLARED_TYPE =
            link("sqlite3_column_decltype", SHORT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle COMPLETE = link("sqlite3_complete", SHORT_WITH_HEAP, JAVA_INT, ADDRESS);

    private NativeStatement() {}

    static int prepare(long connection, long sqlAddress, int byteCount, int flags, long statementOut, long tailOut) {
        try {
            return (int) PREPARE.invokeExact(connection, sqlAddress, byteCount, flags, statementOut, tailOut);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int step(long statement) {
        try {
            return (int) STEP.invokeExact(statement);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int reset(long statement) {
        try {
            return (int) RESET.invokeExact(statement);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int close(long statement) {
        try {
            return (int) CLOSE.invokeExact(statement);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// @param sql in UTF-8, ended by a NUL
    static int complete(byte[] sql) {
        try {
            return (int) COMPLETE.invokeExact(MemorySegment.ofArray(sql));
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int isReadonly(long statement) {
        try {
            return (int) IS_READONLY.invokeExact(statement);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int columnCount(long statement) {
        try {
            return (int) COLUMN_COUNT.invokeExact(statement);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long columnName(long statement, int column) {
        try {
            return (long) COLUMN_NAME.invokeExact(statement, column);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long declaredType(long statement, int column) {
        try {
            return (long) DECLARED_TYPE.invokeExact(statement, column);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
