package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.LONG;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// `sqlite3_set_authorizer`.
final class NativeAuthorizer {
    private static final MethodHandle SET =
            link("sqlite3_set_authorizer", LONG, JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG);

    private NativeAuthorizer() {}

    /// @param function a null pointer removes the authorizer
    static int set(long connection, MemorySegment function) {
        try {
            return (int) SET.invokeExact(connection, function, 0L);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
