package dev.perigee.store;

import com.sun.management.OperatingSystemMXBean;
import dev.perigee.config.StoreConfig;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// How much memory the process has beside Java's heap, where the system tells: on Linux. For one thread.
///
/// SQLite holds a row's values outside the heap, and a statement may ask for two thousand of 64 MiB. It
/// has no limit of
/// its own for one connection, and its limit for all is built out of the library that is bundled.
///
/// @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_status.5.html">proc_pid_status(5)</a>
final class NativeMemory implements AutoCloseable {
    private static final String FILE = "/proc/self/status";
    private static final Pattern ANONYMOUS = Pattern.compile("RssAnon:\\s+(\\d+) kB");

    /// What statements may take, at least and at most; between them an eighth of the machine's memory.
    private static final long MIN_BYTES = 128L << 20;

    private static final long MAX_BYTES = 1L << 30;

    /// What the JVM takes after the start: code, classes, threads.
    private static final long JVM_BYTES = 128L << 20;

    private final byte[] text = new byte[4096];
    private final @Nullable RandomAccessFile file;
    private final long statementBytes;
    private final long limitBytes;

    NativeMemory(StoreConfig config) {
        this.file = open();
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        this.statementBytes = Math.clamp(system.getTotalMemorySize() / 8, MIN_BYTES, MAX_BYTES);
        long caches = config.pageCacheBytes() * 2 * (1 + config.readers());
        this.limitBytes = Math.max(0, bytes()) + JVM_BYTES + caches + statementBytes;
    }

    private static @Nullable RandomAccessFile open() {
        try {
            return new RandomAccessFile(FILE, "r");
        } catch (IOException _) {
            return null;
        }
    }

    /// Past it statements that took much are ended.
    long limitBytes() {
        return limitBytes;
    }

    /// That much has grown while a statement ran that took much.
    long muchBytes() {
        return statementBytes / 4;
    }

    /// Memory that is neither a file's nor committed to Java's heap; not less than 0, which stands for
    /// unknown too.
    long bytes() {
        if (file == null) return 0;
        try {
            file.seek(0);
            int length = file.read(text);
            Matcher anonymous = ANONYMOUS.matcher(new String(text, 0, Math.max(0, length), StandardCharsets.US_ASCII));
            if (!anonymous.find()) return 0;
            long bytes = Long.parseLong(anonymous.group(1)) << 10;
            return Math.max(0, bytes - Runtime.getRuntime().totalMemory());
        } catch (IOException _) {
            return 0;
        }
    }

    @Override
    public void close() {
        try {
            if (file != null) file.close();
        } catch (IOException _) {
            // It was only read.
        }
    }
}
