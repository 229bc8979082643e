package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.LONG;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.linkIfThere;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/// The memory that SQLite takes from the system's allocator.
public final class NativeHeap {
    // Of glibc's, which the library is linked to; other allocators give memory back by themselves.
    private static final @Nullable MethodHandle TRIM = linkIfThere("malloc_trim", LONG, JAVA_INT, JAVA_LONG);

    private NativeHeap() {}

    /// Gives the system back what is free.
    public static void trim() {
        if (TRIM == null) return;
        try {
            int _ = (int) TRIM.invokeExact(0L);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
