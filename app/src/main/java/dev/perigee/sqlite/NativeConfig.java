package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/// `sqlite3_db_config`, which is variadic: some platforms pass such arguments in another way.
final class NativeConfig {
    private static final Linker.Option[] VARIADIC = {Linker.Option.firstVariadicArg(2)};
    private static final MethodHandle DB_CONFIG =
            link("sqlite3_db_config", VARIADIC, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG);

    private NativeConfig() {}

    /// @param value 1 or 0 to set, -1 to ask
    /// @param resultOut where the value that now holds is put, as an int
    static int set(long connection, int which, int value, long resultOut) {
        try {
            return (int) DB_CONFIG.invokeExact(connection, which, value, resultOut);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
