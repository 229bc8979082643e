package dev.perigee.sqlite;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Makes method handles of C functions, and Java values of C memory.
///
/// Pointers are passed as `long`, so that no segment needs to be made per call. Every platform on which SQLite runs
/// with Java 25 passes both in the same registers.
@SuppressWarnings("restricted")
final class NativeLibrary {
    /// For functions that take only moments: a critical call, which skips the thread's transition from Java to native
    /// code. Never for a function that can block, access the disk, or call back into Java.
    static final Linker.Option[] SHORT = {Linker.Option.critical(false)};

    /// As [#SHORT]; arguments may also be arrays on the heap.
    static final Linker.Option[] SHORT_WITH_HEAP = {Linker.Option.critical(true)};

    /// For all other functions.
    static final Linker.Option[] LONG = {};

    /// The whole address space as one segment; an offset in it is an address.
    static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private NativeLibrary() {}

    /// The method handle of a C function.
    ///
    /// @throws IllegalStateException if the library has no such function
    static MethodHandle link(String name, Linker.Option[] options, MemoryLayout result, MemoryLayout... parameters) {
        MethodHandle handle = linkIfThere(name, options, result, parameters);
        if (handle == null) throw new IllegalStateException(SqliteLibrary.origin() + " has no function " + name);
        return handle;
    }

    /// As [#link], for a function that returns nothing.
    static MethodHandle linkVoid(String name, Linker.Option[] options, MemoryLayout... parameters) {
        return Linker.nativeLinker()
                .downcallHandle(
                        SqliteLibrary.symbols().findOrThrow(name), FunctionDescriptor.ofVoid(parameters), options);
    }

    /// As [#link], but null if the library has no such function.
    static @Nullable MethodHandle linkIfThere(
            String name, Linker.Option[] options, MemoryLayout result, MemoryLayout... parameters) {
        return SqliteLibrary.symbols()
                .find(name)
                .map(symbol -> Linker.nativeLinker()
                        .downcallHandle(symbol, FunctionDescriptor.of(result, parameters), options))
                .orElse(null);
    }

    static int version(SymbolLookup symbols) {
        return callForInt(symbols, "sqlite3_libversion_number");
    }

    static boolean isThreadsafe(SymbolLookup symbols) {
        return callForInt(symbols, "sqlite3_threadsafe") != 0;
    }

    /// Copies `byteCount` bytes from `address`.
    static byte[] bytes(long address, int byteCount) {
        byte[] bytes = new byte[byteCount];
        if (byteCount > 0) MemorySegment.copy(MEMORY, JAVA_BYTE, address, bytes, 0, byteCount);
        return bytes;
    }

    /// The zero-terminated UTF-8 text at `address`; null for a null pointer.
    static @Nullable String string(long address) {
        return address == 0 ? null : MEMORY.getString(address, StandardCharsets.UTF_8);
    }

    /// The exception to throw for what a downcall handle threw. C code throws nothing, so it is an [Error] of the JVM,
    /// which is thrown on from here, or a mistake of ours.
    static IllegalStateException impossible(Throwable thrown) {
        if (thrown instanceof Error error) throw error;
        return new IllegalStateException("a call into SQLite failed before it began", thrown);
    }

    private static int callForInt(SymbolLookup symbols, String name) {
        MemorySegment function = symbols.find(name).orElseThrow();
        try {
            return (int) Linker.nativeLinker()
                    .downcallHandle(function, FunctionDescriptor.of(JAVA_INT))
                    .invokeExact();
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
