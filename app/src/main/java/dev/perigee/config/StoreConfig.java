package dev.perigee.config;

import java.nio.file.Path;
import java.time.Duration;

/// Settings of the replica file.
///
/// @param directory the folder the replica is in
/// @param fileName the replica's name in it
/// @param readers read connections, each with a thread of its own; 2 to 64, since callers get all but one
/// @param writeQueue writes that may wait for the writer before callers are held up; 1 to 100 000
/// @param walLimitBytes size of the WAL past which the oldest readers are interrupted so that it can be emptied
/// @param checkpointBytes size of the WAL at which a checkpoint is tried
/// @param pageCacheBytes page cache of the write connection
/// @param lockWait how long opening waits for another process to give up the data folder
public record StoreConfig(
        Path directory,
        String fileName,
        int readers,
        int writeQueue,
        long walLimitBytes,
        long checkpointBytes,
        long pageCacheBytes,
        Duration lockWait) {

    /// The fewest readers: one for callers, one that they cannot take.
    public static final int MIN_READERS = 2;

    /// The replica's name in a data folder.
    public static final String FILE_NAME = "perigee.db";

    public StoreConfig {
        if (readers < MIN_READERS) {
            throw new IllegalArgumentException("%d readers, expected at least %d".formatted(readers, MIN_READERS));
        }
    }

    /// A data folder's replica.
    public StoreConfig(
            Path directory,
            int readers,
            int writeQueue,
            long walLimitBytes,
            long checkpointBytes,
            long pageCacheBytes,
            Duration lockWait) {
        this(directory, FILE_NAME, readers, writeQueue, walLimitBytes, checkpointBytes, pageCacheBytes, lockWait);
    }

    /// How many readers callers' statements may hold at once. The last one is for alarms, syncs and the status.
    public int callerReaders() {
        return readers - 1;
    }

    /// The defaults for a data folder.
    public static StoreConfig of(Path directory) {
        return new StoreConfig(directory, 4, 1024, 256L << 20, 16L << 20, 32L << 20, Duration.ZERO);
    }

    /// The defaults for a replica that is a file of its own, wherever it is.
    public static StoreConfig ofFile(Path file) {
        Path absolute = file.toAbsolutePath();
        Path folder = absolute.getParent();
        Path name = absolute.getFileName();
        if (folder == null || name == null) throw new IllegalArgumentException("not a file: " + file);
        return new StoreConfig(folder, name.toString(), 4, 1024, 256L << 20, 16L << 20, 32L << 20, Duration.ZERO);
    }
}
