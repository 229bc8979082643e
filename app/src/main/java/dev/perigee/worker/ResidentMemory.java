package dev.perigee.worker;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Measures a process's resident memory that is not backed by a file: what it has allocated and used. Works on Linux
/// only. For one thread at a time.
///
/// @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html">proc_pid_statm(5)</a>
final class ResidentMemory implements AutoCloseable {
    private static final long PAGE_BYTES = pageBytes();

    private final byte[] text = new byte[128];
    private final @Nullable RandomAccessFile file;

    ResidentMemory(long pid) {
        this.file = open("/proc/%d/statm".formatted(pid));
    }

    /// The memory in bytes; 0 if it is unknown or the process is gone.
    long bytes() {
        if (file == null) return 0;
        try {
            file.seek(0);
            int length = file.read(text);
            String[] pages = new String(text, 0, Math.max(0, length), StandardCharsets.US_ASCII).split(" ", 4);
            if (pages.length < 4) return 0;
            return (Long.parseLong(pages[1]) - Long.parseLong(pages[2])) * PAGE_BYTES;
        } catch (IOException | NumberFormatException _) {
            return 0;
        }
    }

    @Override
    public void close() {
        try {
            if (file != null) file.close();
        } catch (IOException _) {
            // It was only read, so nothing is lost.
        }
    }

    private static @Nullable RandomAccessFile open(String path) {
        try {
            return new RandomAccessFile(path, "r");
        } catch (IOException _) {
            return null;
        }
    }

    /// The page size, from the first `KernelPageSize` line of `/proc/self/smaps`: the only place where Linux gives it
    /// as text.
    private static long pageBytes() {
        try (RandomAccessFile smaps = new RandomAccessFile("/proc/self/smaps", "r")) {
            for (String line = smaps.readLine(); line != null; line = smaps.readLine()) {
                if (line.startsWith("KernelPageSize:")) return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        } catch (IOException | NumberFormatException _) {
            // Use the common page size.
        }
        return 4096;
    }
}
