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

/// How C functions become method handles, and C memory becomes Java values.
///
/// Pointers travel as `long`: every platform SQLite runs on with Java 25 passes both in the same registers, and no
/// segment needs to be made per call.
@SuppressWarnings("restricted")
final class NativeLibrary {
    /// A function that neither blocks nor calls back: it is called without telling the JVM that the thread is away.
    /// Never for one that can wait, reach the disk, or end in an upcall.
    static final Linker.Option[] SHORT = {Linker.Option.critical(false)};

    /// As [#SHORT], and an argument may be an array on the heap.
    static final Linker.Option[] SHORT_WITH_HEAP = {Linker.Option.critical(true)};

    /// Everything else.
    static final Linker.Option[] LONG = {};

    /// All memory, addressed from 0.
    static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private NativeLibrary() {}

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

    /// As [#link], null if the library has no such function.
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

    /// What a method handle of ours cannot throw, thrown.
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
