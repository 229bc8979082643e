package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.SHORT;
import static dev.perigee.sqlite.NativeLibrary.SHORT_WITH_HEAP;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// `sqlite3_bind_*`. All are short calls: they store a value or a pointer, or copy the bytes.
///
/// @see <a href="https://www.sqlite.org/c3ref/bind_blob.html">SQLite: Binding Values To Prepared Statements</a>
final class NativeBind {
    /// SQLITE_STATIC: SQLite keeps the pointer.
    private static final long STATIC = 0;

    /// SQLITE_TRANSIENT: SQLite copies the bytes.
    private static final long COPIED = -1;

    /// The address given for an empty text or blob; nothing is read from it.
    static final MemorySegment NOTHING = Arena.global().allocate(1);

    private static final MethodHandle BIND_NULL = link("sqlite3_bind_null", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle BIND_INT =
            link("sqlite3_bind_int64", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG);
    private static final MethodHandle BIND_REAL =
            link("sqlite3_bind_double", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_DOUBLE);
    private static final MethodHandle BIND_TEXT_STATIC =
            link("sqlite3_bind_text", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG);
    private static final MethodHandle BIND_BLOB_STATIC =
            link("sqlite3_bind_blob", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG);
    private static final MethodHandle BIND_TEXT =
            link("sqlite3_bind_text", SHORT_WITH_HEAP, JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG);
    private static final MethodHandle BIND_BLOB =
            link("sqlite3_bind_blob", SHORT_WITH_HEAP, JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG);
    private static final MethodHandle CLEAR_BINDINGS = link("sqlite3_clear_bindings", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle PARAMETER_COUNT =
            link("sqlite3_bind_parameter_count", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle PARAMETER_INDEX =
            link("sqlite3_bind_parameter_index", SHORT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle PARAMETER_NAME =
            link("sqlite3_bind_parameter_name", SHORT, JAVA_LONG, JAVA_LONG, JAVA_INT);

    private NativeBind() {}

    static int bindNull(long statement, int index) {
        try {
            return (int) BIND_NULL.invokeExact(statement, index);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int bindInt(long statement, int index, long value) {
        try {
            return (int) BIND_INT.invokeExact(statement, index, value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int bindReal(long statement, int index, double value) {
        try {
            return (int) BIND_REAL.invokeExact(statement, index, value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// Binds memory without copying it. It must stay unchanged until the parameter is bound again: SQLite keeps the
    /// pointer.
    static int bindTextStatic(long statement, int index, long address, int byteCount) {
        try {
            return (int) BIND_TEXT_STATIC.invokeExact(statement, index, address, byteCount, STATIC);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// As [#bindTextStatic].
    static int bindBlobStatic(long statement, int index, long address, int byteCount) {
        try {
            return (int) BIND_BLOB_STATIC.invokeExact(statement, index, address, byteCount, STATIC);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// Binds a copy, which SQLite makes directly from the heap array before the call returns.
    static int bindText(long statement, int index, byte[] bytes) {
        try {
            return (int) BIND_TEXT.invokeExact(statement, index, MemorySegment.ofArray(bytes), bytes.length, COPIED);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// As [#bindText].
    static int bindBlob(long statement, int index, byte[] bytes) {
        try {
            return (int) BIND_BLOB.invokeExact(statement, index, MemorySegment.ofArray(bytes), bytes.length, COPIED);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int clearBindings(long statement) {
        try {
            return (int) CLEAR_BINDINGS.invokeExact(statement);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int parameterCount(long statement) {
        try {
            return (int) PARAMETER_COUNT.invokeExact(statement);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int parameterIndex(long statement, long nameAddress) {
        try {
            return (int) PARAMETER_INDEX.invokeExact(statement, nameAddress);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long parameterName(long statement, int index) {
        try {
            return (long) PARAMETER_NAME.invokeExact(statement, index);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
