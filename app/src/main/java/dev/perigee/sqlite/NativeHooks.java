package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.LONG;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The C functions that set SQLite's callbacks. A null pointer removes a callback.
final class NativeHooks {
    private static final MethodHandle AUTHORIZER =
            link("sqlite3_set_authorizer", LONG, JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG);
    private static final MethodHandle COMMIT =
            link("sqlite3_commit_hook", LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);
    private static final MethodHandle ROLLBACK =
            link("sqlite3_rollback_hook", LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);
    private static final MethodHandle UPDATE =
            link("sqlite3_update_hook", LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);

    private NativeHooks() {}

    static int authorizer(long connection, MemorySegment function) {
        try {
            return (int) AUTHORIZER.invokeExact(connection, function, 0L);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static void commit(long connection, MemorySegment function) {
        hook(COMMIT, connection, function);
    }

    static void rollback(long connection, MemorySegment function) {
        hook(ROLLBACK, connection, function);
    }

    static void update(long connection, MemorySegment function) {
        hook(UPDATE, connection, function);
    }

    private static void hook(MethodHandle setter, long connection, MemorySegment function) {
        try {
            // The result is the user data of the previous callback, which is always null here.
            long _ = (long) setter.invokeExact(connection, function, 0L);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
