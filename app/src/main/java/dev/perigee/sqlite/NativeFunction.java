package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.LONG;
import static dev.perigee.sqlite.NativeLibrary.SHORT;
import static dev.perigee.sqlite.NativeLibrary.SHORT_WITH_HEAP;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static dev.perigee.sqlite.NativeLibrary.linkVoid;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The C functions for SQL functions written in Java: their registration, arguments and results.
///
/// @see <a href="https://www.sqlite.org/appfunc.html">SQLite: Application-Defined SQL Functions</a>
final class NativeFunction {
    /// SQLITE_TRANSIENT: SQLite copies the result.
    private static final long COPIED = -1;

    private static final MethodHandle RESULT_TEXT =
            linkVoid("sqlite3_result_text", SHORT_WITH_HEAP, JAVA_LONG, ADDRESS, JAVA_INT, JAVA_LONG);
    private static final MethodHandle RESULT_BLOB =
            linkVoid("sqlite3_result_blob", SHORT_WITH_HEAP, JAVA_LONG, ADDRESS, JAVA_INT, JAVA_LONG);
    private static final MethodHandle RESULT_ERROR =
            linkVoid("sqlite3_result_error", SHORT_WITH_HEAP, JAVA_LONG, ADDRESS, JAVA_INT);
    private static final MethodHandle CREATE = link(
            "sqlite3_create_function_v2",
            LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG);
    private static final MethodHandle VALUE_TYPE = link("sqlite3_value_type", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle VALUE_INT = link("sqlite3_value_int64", SHORT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle VALUE_REAL = link("sqlite3_value_double", SHORT, JAVA_DOUBLE, JAVA_LONG);
    private static final MethodHandle VALUE_TEXT = link("sqlite3_value_text", SHORT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle VALUE_BLOB = link("sqlite3_value_blob", SHORT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle VALUE_BYTES = link("sqlite3_value_bytes", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle RESULT_NULL = linkVoid("sqlite3_result_null", SHORT, JAVA_LONG);
    private static final MethodHandle RESULT_INT = linkVoid("sqlite3_result_int64", SHORT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle RESULT_REAL = linkVoid("sqlite3_result_double", SHORT, JAVA_LONG, JAVA_DOUBLE);

    private NativeFunction() {}

    static int create(
            long connection,
            long nameAddress,
            int argumentCount,
            int flags,
            long data,
            long function,
            long step,
            long last,
            long destroy) {
        try {
            return (int) CREATE.invokeExact(
                    connection, nameAddress, argumentCount, flags, data, function, step, last, destroy);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int valueType(long value) {
        try {
            return (int) VALUE_TYPE.invokeExact(value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long valueInt(long value) {
        try {
            return (long) VALUE_INT.invokeExact(value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static double valueReal(long value) {
        try {
            return (double) VALUE_REAL.invokeExact(value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long valueText(long value) {
        try {
            return (long) VALUE_TEXT.invokeExact(value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long valueBlob(long value) {
        try {
            return (long) VALUE_BLOB.invokeExact(value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int valueBytes(long value) {
        try {
            return (int) VALUE_BYTES.invokeExact(value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static void resultNull(long context) {
        try {
            RESULT_NULL.invokeExact(context);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static void resultInt(long context, long result) {
        try {
            RESULT_INT.invokeExact(context, result);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static void resultReal(long context, double result) {
        try {
            RESULT_REAL.invokeExact(context, result);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static void resultText(long context, byte[] utf8) {
        try {
            RESULT_TEXT.invokeExact(context, MemorySegment.ofArray(utf8), utf8.length, COPIED);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static void resultBlob(long context, byte[] bytes) {
        try {
            RESULT_BLOB.invokeExact(context, MemorySegment.ofArray(bytes), bytes.length, COPIED);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// Makes the statement fail with `utf8` as SQLite's error message.
    static void resultError(long context, byte[] utf8) {
        try {
            RESULT_ERROR.invokeExact(context, MemorySegment.ofArray(utf8), utf8.length);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
