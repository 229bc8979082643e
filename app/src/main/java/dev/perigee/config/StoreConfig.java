package dev.perigee.config;

import java.nio.file.Path;
import java.time.Duration;

/// Settings of the replica file.
///
/// @param directory the folder of the replica
/// @param fileName the replica's name in that folder
/// @param readers read connections, each with its own thread, 2 to 64; callers' statements may use all but one
/// @param writeQueue writes that may wait for the writer before further callers must wait to hand in theirs; 1 to 100
///     000
/// @param walLimitBytes size of the WAL from which on the oldest readers are interrupted, so that it can be emptied
/// @param checkpointBytes size of the WAL at which a checkpoint is tried
/// @param pageCacheBytes page cache of the write connection
/// @param lockWait how long opening waits for another process to release the data folder
public record StoreConfig(
        Path directory,
        String fileName,
        int readers,
        int writeQueue,
        long walLimitBytes,
        long checkpointBytes,
        long pageCacheBytes,
        Duration lockWait) {

    /// The fewest readers: one for callers, and one that they cannot use.
    public static final int MIN_READERS = 2;

    /// The default name of the replica in a data folder.
    public static final String FILE_NAME = "perigee.db";

    public StoreConfig {
        if (readers < MIN_READERS) {
            throw new IllegalArgumentException("%d readers, expected at least %d".formatted(readers, MIN_READERS));
        }
    }

    /// The most readers that callers' statements may use at once. The remaining one is for alarms, syncs and the
    /// status.
    public int callerReaders() {
        return readers - 1;
    }

    /// The defaults for a data folder.
    public static StoreConfig of(Path directory) {
        return new StoreConfig(directory, FILE_NAME, 4, 1024, 256L << 20, 16L << 20, 32L << 20, Duration.ZERO);
    }

    /// The defaults for a replica in any file, not necessarily in a data folder.
    public static StoreConfig ofFile(Path file) {
        Path absolute = file.toAbsolutePath();
        Path folder = absolute.getParent();
        Path name = absolute.getFileName();
        if (folder == null || name == null) throw new IllegalArgumentException("not a file: " + file);
        return new StoreConfig(folder, name.toString(), 4, 1024, 256L << 20, 16L << 20, 32L << 20, Duration.ZERO);
    }
}
