package dev.perigee.sqlite;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// An anonymous file in memory (memfd). It is in no folder, and the kernel frees it when its last use ends, so nothing
/// is left of it even after `kill -9`. Linux only.
///
/// @see <a href="https://man7.org/linux/man-pages/man2/memfd_create.2.html">memfd_create(2)</a>
@SuppressWarnings("restricted")
final class MemoryFile implements AutoCloseable {
    private static final int MFD_CLOEXEC = 1;

    private final int descriptor;

    private MemoryFile(int descriptor) {
        this.descriptor = descriptor;
    }

    /// Makes a file with these bytes; empty if the system has no such files or forbids them.
    ///
    /// @throws IOException if the bytes cannot be read or written
    static Optional<MemoryFile> of(String name, InputStream bytes) throws IOException {
        Optional<MemorySegment> create = Linker.nativeLinker().defaultLookup().find("memfd_create");
        if (create.isEmpty()) return Optional.empty();
        int descriptor = create(create.get(), name);
        if (descriptor < 0) return Optional.empty();
        MemoryFile file = new MemoryFile(descriptor);
        try (OutputStream out = Files.newOutputStream(Path.of(file.path()))) {
            bytes.transferTo(out);
            return Optional.of(file);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /// A path by which this process can open the file until it is closed.
    String path() {
        return "/proc/self/fd/" + descriptor;
    }

    /// Closes the descriptor. Memory that is mapped from the file stays mapped.
    @Override
    public void close() {
        MethodHandle close = Linker.nativeLinker()
                .downcallHandle(
                        Linker.nativeLinker().defaultLookup().findOrThrow("close"),
                        FunctionDescriptor.of(JAVA_INT, JAVA_INT));
        try {
            int _ = (int) close.invokeExact(descriptor);
        } catch (Throwable t) {
            throw NativeLibrary.impossible(t);
        }
    }

    private static int create(MemorySegment function, String name) {
        MethodHandle create =
                Linker.nativeLinker().downcallHandle(function, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            return (int) create.invokeExact(arena.allocateFrom(name), MFD_CLOEXEC);
        } catch (Throwable t) {
            throw NativeLibrary.impossible(t);
        }
    }
}
