package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/// `sqlite3_db_config`. It is a variadic function: some platforms pass variadic arguments in another way.
final class NativeConfig {
    private static final Linker.Option[] VARIADIC = {Linker.Option.firstVariadicArg(2)};
    private static final MethodHandle DB_CONFIG =
            link("sqlite3_db_config", VARIADIC, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG);

    private NativeConfig() {}

    /// Sets or reads one option.
    ///
    /// @param value 1 or 0 to set the option, -1 to read it
    /// @param resultOut address at which SQLite stores the option's value after the call, as an int
    static int set(long connection, int which, int value, long resultOut) {
        try {
            return (int) DB_CONFIG.invokeExact(connection, which, value, resultOut);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
