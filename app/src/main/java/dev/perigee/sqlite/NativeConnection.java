package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.LONG;
import static dev.perigee.sqlite.NativeLibrary.SHORT;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static dev.perigee.sqlite.NativeLibrary.linkVoid;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;

/// The C functions to open, close, configure and query a connection.
///
/// @see <a href="https://www.sqlite.org/c3ref/sqlite3.html">SQLite: Database Connection Handle</a>
final class NativeConnection {
    private static final MethodHandle OPEN =
            link("sqlite3_open_v2", LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG);
    private static final MethodHandle CLOSE = link("sqlite3_close_v2", LONG, JAVA_INT, JAVA_LONG);
    private static final MethodHandle INTERRUPT = linkVoid("sqlite3_interrupt", SHORT, JAVA_LONG);
    private static final MethodHandle EXTENDED_RESULT_CODES =
            link("sqlite3_extended_result_codes", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle MESSAGE = link("sqlite3_errmsg", SHORT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle EXTENDED_CODE = link("sqlite3_extended_errcode", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle CODE_MEANING = link("sqlite3_errstr", SHORT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle BUSY_TIMEOUT = link("sqlite3_busy_timeout", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle IS_AUTOCOMMIT = link("sqlite3_get_autocommit", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle IS_READONLY = link("sqlite3_db_readonly", SHORT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle LAST_INSERT_ROWID =
            link("sqlite3_last_insert_rowid", SHORT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle SET_LAST_INSERT_ROWID =
            linkVoid("sqlite3_set_last_insert_rowid", SHORT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle LIMIT = link("sqlite3_limit", SHORT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);
    private static final MethodHandle CHECKPOINT =
            link("sqlite3_wal_checkpoint_v2", LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);

    private NativeConnection() {}

    static int open(long nameAddress, long connectionOut, int flags, long vfsAddress) {
        try {
            return (int) OPEN.invokeExact(nameAddress, connectionOut, flags, vfsAddress);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int close(long connection) {
        try {
            return (int) CLOSE.invokeExact(connection);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// Only sets a flag. May be called from any thread.
    static void interrupt(long connection) {
        try {
            INTERRUPT.invokeExact(connection);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int extendedResultCodes(long connection, int on) {
        try {
            return (int) EXTENDED_RESULT_CODES.invokeExact(connection, on);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// The address is valid until the next call on the connection.
    static long message(long connection) {
        try {
            return (long) MESSAGE.invokeExact(connection);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int extendedCode(long connection) {
        try {
            return (int) EXTENDED_CODE.invokeExact(connection);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long codeMeaning(int code) {
        try {
            return (long) CODE_MEANING.invokeExact(code);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int busyTimeout(long connection, int millis) {
        try {
            return (int) BUSY_TIMEOUT.invokeExact(connection, millis);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int isAutocommit(long connection) {
        try {
            return (int) IS_AUTOCOMMIT.invokeExact(connection);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// 1 or 0; -1 if the connection has no database of that name.
    static int isReadonly(long connection, long nameAddress) {
        try {
            return (int) IS_READONLY.invokeExact(connection, nameAddress);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long lastInsertRowid(long connection) {
        try {
            return (long) LAST_INSERT_ROWID.invokeExact(connection);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static void lastInsertRowid(long connection, long rowid) {
        try {
            SET_LAST_INSERT_ROWID.invokeExact(connection, rowid);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// Sets a limit and returns the one before. A negative value only reads it.
    static int limit(long connection, int which, int value) {
        try {
            return (int) LIMIT.invokeExact(connection, which, value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int checkpoint(long connection, long nameAddress, int mode, long logOut, long checkpointedOut) {
        try {
            return (int) CHECKPOINT.invokeExact(connection, nameAddress, mode, logOut, checkpointedOut);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
