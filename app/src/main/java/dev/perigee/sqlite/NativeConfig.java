package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/// `sqlite3_db_config` and `sqlite3_test_control`, which take their arguments as `printf` does: that makes
/// another
/// calling convention on some platforms.
final class NativeConfig {
    private static final Linker.Option[] VARIADIC = {Linker.Option.firstVariadicArg(2)};
    private static final MethodHandle DB_CONFIG =
            link("sqlite3_db_config", VARIADIC, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG);

    private static final Linker.Option[] ALL_BUT_FIRST = {Linker.Option.firstVariadicArg(1)};
    private static final int OPTIMIZATIONS = 15;
    private static final int GET_OPTIMIZATIONS = 16;
    private static final MethodHandle SET_OPTIMIZATIONS =
            link("sqlite3_test_control", ALL_BUT_FIRST, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle OPTIMIZATIONS_OF =
            link("sqlite3_test_control", ALL_BUT_FIRST, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);

    private NativeConfig() {}

    /// Turns off the optimizations whose bits are set, and on all others.
    ///
    /// @param out where those are put that are then off, as an int; an SQLite that cannot say leaves it as
    ///     it is
    static void optimizationsOff(long connection, int bits, long out) {
        try {
            int _ = (int) SET_OPTIMIZATIONS.invokeExact(OPTIMIZATIONS, connection, bits);
            int _ = (int) OPTIMIZATIONS_OF.invokeExact(GET_OPTIMIZATIONS, connection, out);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

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
