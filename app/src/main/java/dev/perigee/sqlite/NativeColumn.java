package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.SHORT;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;

/// `sqlite3_column_*`, which read the current row. All are short calls: the row is in memory once `sqlite3_step` has
/// returned.
///
/// @see <a href="https://www.sqlite.org/c3ref/column_blob.html">SQLite: Result Values From A Query</a>
final class NativeColumn {
    private static final MethodHandle COLUMN_TYPE = link("sqlite3_column_type", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle COLUMN_INT = link("sqlite3_column_int64", SHORT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle COLUMN_REAL =
            link("sqlite3_column_double", SHORT, JAVA_DOUBLE, JAVA_LONG, JAVA_INT);
    private static final MethodHandle COLUMN_TEXT = link("sqlite3_column_text", SHORT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle COLUMN_BLOB = link("sqlite3_column_blob", SHORT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle COLUMN_BYTES = link("sqlite3_column_bytes", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle DATA_COUNT = link("sqlite3_data_count", SHORT, JAVA_INT, JAVA_LONG);

    private NativeColumn() {}

    static int columnType(long statement, int column) {
        try {
            return (int) COLUMN_TYPE.invokeExact(statement, column);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long columnInt(long statement, int column) {
        try {
            return (long) COLUMN_INT.invokeExact(statement, column);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static double columnReal(long statement, int column) {
        try {
            return (double) COLUMN_REAL.invokeExact(statement, column);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// The address is valid until the next step or the next conversion of the same cell.
    static long columnText(long statement, int column) {
        try {
            return (long) COLUMN_TEXT.invokeExact(statement, column);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// As [#columnText]; 0 for NULL and for an empty blob.
    static long columnBlob(long statement, int column) {
        try {
            return (long) COLUMN_BLOB.invokeExact(statement, column);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// The length of what [#columnText] or [#columnBlob] returned; call it after one of them.
    static int columnBytes(long statement, int column) {
        try {
            return (int) COLUMN_BYTES.invokeExact(statement, column);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int dataCount(long statement) {
        try {
            return (int) DATA_COUNT.invokeExact(statement);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
