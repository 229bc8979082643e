package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Exclusive ownership of a replica while it is open: an operating-system lock on a file next to it. In a data folder
/// that file is `perigee.lock`. A replica with another name, as `perigee sync --to shop.db` makes, has `shop.db.lock`.
///
/// The operating system releases the lock when the process ends, however it ends, so a lock file that was left behind
/// is simply taken over. The file's text says who holds the lock: process, host, and since when. The file is not
/// deleted when the lock is released. Deleting it would let two processes lock two different files with the same name.
final class DataFolderLock implements AutoCloseable {
    static final String FILE_NAME = "perigee.lock";

    private static final String SUFFIX = ".lock";

    private static final Logger LOG = LoggerFactory.getLogger(DataFolderLock.class);

    /// Far behind the text, because on Windows other processes cannot read a locked byte.
    private static final long LOCKED_BYTE = 1L << 30;

    private static final int MAX_TEXT_BYTES = 1024;
    private static final long RETRY_NANOS = Duration.ofMillis(50).toNanos();

    /// Lock files that this process has locked. It is static because POSIX locks belong to the process. Opening and
    /// closing the file a second time anywhere in the process would silently release the lock.
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;
    private final FileLock lock;

    private DataFolderLock(Path file, FileChannel channel, FileLock lock) {
        this.file = file;
        this.channel = channel;
        this.lock = lock;
    }

    /// Creates the folder if it does not exist, and locks the replica. Waits up to [StoreConfig#lockWait] for another
    /// holder to release it.
    ///
    /// @throws PerigeeException [Fault#REPLICA_LOCKED] naming the holder, [Fault#DISK_FAILED] if the folder or the lock
    ///     file cannot be used
    static DataFolderLock take(StoreConfig config) {
        Path file = create(config.directory()).resolve(name(config));
        Duration wait = config.lockWait();
        long start = System.nanoTime();
        while (true) {
            if (HELD.add(file)) {
                DataFolderLock lock = null;
                try {
                    lock = tryTake(file);
                    if (lock != null) return lock;
                } finally {
                    if (lock == null) HELD.remove(file);
                }
                if (isOver(start, wait)) throw refusal(file, holder(file));
            } else if (isOver(start, wait)) {
                throw refusal(file, "another store in this same process, " + pid());
            }
            LockSupport.parkNanos(RETRY_NANOS);
        }
    }

    @Override
    public void close() {
        try {
            channel.truncate(0);
            lock.release();
            channel.close();
        } catch (IOException e) {
            LOG.warn("Could not release {}: {}", file, e.toString());
        } finally {
            HELD.remove(file);
        }
    }

    private static Path create(Path directory) {
        try {
            return OwnerOnlyFiles.folder(directory).toRealPath();
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in(
                    "data folder " + directory, "it could not be created: " + e, "Nothing was opened", e);
        }
    }

    private static @Nullable DataFolderLock tryTake(Path file) {
        FileChannel channel = null;
        boolean isTaken = false;
        try {
            OwnerOnlyFiles.file(file);
            channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
            if (lock == null) return null;
            String before = text(channel);
            if (!before.isBlank()) LOG.info("Taking over {} from a process that did not release it: {}", file, before);
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(self().getBytes(StandardCharsets.UTF_8)), 0);
            isTaken = true;
            return new DataFolderLock(file, channel, lock);
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in(where(file), "it could not be locked: " + e, "Nothing was opened", e);
        } finally {
            if (channel != null && !isTaken) closeQuietly(channel);
        }
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("Could not close a lock file that was not locked", e);
        }
    }

    private static String holder(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            String text = text(channel);
            return text.isBlank() ? "another process; its lock file does not say which" : text;
        } catch (IOException _) {
            return "another process; its lock file cannot be read";
        }
    }

    private static String text(FileChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(MAX_TEXT_BYTES);
        channel.read(bytes, 0);
        return StandardCharsets.UTF_8.decode(bytes.flip()).toString().strip();
    }

    private static PerigeeException refusal(Path file, String holder) {
        return Fault.REPLICA_LOCKED.in(
                where(file), "only one process at a time may use it; it is in use by " + holder, "Nothing was opened");
    }

    private static String name(StoreConfig config) {
        return config.fileName().equals(StoreConfig.FILE_NAME) ? FILE_NAME : config.fileName() + SUFFIX;
    }

    /// The name under which the user knows the replica, for messages.
    private static String where(Path file) {
        String path = file.toString();
        return file.endsWith(FILE_NAME)
                ? "data folder " + file.getParent()
                : "replica " + path.substring(0, path.length() - SUFFIX.length());
    }

    private static boolean isOver(long startNanos, Duration wait) {
        return System.nanoTime() - startNanos >= wait.toNanos();
    }

    private static String self() {
        return "process %d on host %s since %s%n".formatted(pid(), host(), Instant.now());
    }

    private static long pid() {
        return ProcessHandle.current().pid();
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (IOException _) {
            return "unknown";
        }
    }
}
