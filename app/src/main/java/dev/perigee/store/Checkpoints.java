package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.CheckpointMode;
import dev.perigee.sqlite.CheckpointResult;
import dev.perigee.sqlite.SqliteConnection;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the WAL small, and logs a warning when it cannot.
///
/// From `checkpointBytes` on, frames are moved into the database file as far as that is possible without waiting. The
/// WAL is then truncated if no reader uses it. A read that began before the latest commits prevents that.
///
/// Past `walLimitBytes`, our own reads are ended, oldest first, until the WAL can be truncated. A reader in another
/// process cannot be ended; it is only reported. The WAL's size is that of its file, which equals the part in use,
/// because the file is truncated each time.
///
/// Belongs to the writer thread, except [#counts()].
final class Checkpoints {
    /// @param moved checkpoints that moved frames
    /// @param interruptedReads reads ended because they kept the WAL from being emptied
    /// @param blocked checkpoints past the limit that failed because of a reader that could not be ended
    record Counts(long moved, long interruptedReads, long blocked) {}

    /// How long the writer waits for readers to finish once the WAL is past its limit: before the first read is ended,
    /// and again after each one.
    private static final Duration LEAVE_WAIT = Duration.ofMillis(100);

    /// After this time a blocked checkpoint is tried again, even without new writes.
    private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

    private static final long WARN_NANOS = Duration.ofMinutes(1).toNanos();
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);

    private final SqliteConnection connection;
    private final Path file;
    private final StoreConfig config;
    private final ReadPool readers;
    private volatile Counts counts = new Counts(0, 0, 0);
    private boolean isHeldUp;
    private long triedNanos;
    private long triedBytes;
    private int framesMovedBefore;
    private long blockedNanos = System.nanoTime() - RETRY_NANOS;
    private long warnedNanos = System.nanoTime() - WARN_NANOS;

    Checkpoints(SqliteConnection connection, Path file, StoreConfig config, ReadPool readers) {
        this.connection = connection;
        this.file = file;
        this.config = config;
        this.readers = readers;
    }

    Counts counts() {
        return counts;
    }

    /// How long the writer may wait for work before it must call [#tryNow()] again, in nanoseconds.
    long nanosToNextTry() {
        return isHeldUp ? RETRY_NANOS : Long.MAX_VALUE;
    }

    /// Makes a checkpoint if the WAL has grown enough. Called by the writer after each group of writes and when a retry
    /// is due.
    void tryNow() {
        long walBytes = walBytes();
        if (walBytes < config.checkpointBytes()) {
            isHeldUp = false;
            return;
        }
        boolean isTooSoon = isHeldUp
                && walBytes < triedBytes + config.checkpointBytes() / 4
                && System.nanoTime() - triedNanos < RETRY_NANOS;
        if (isTooSoon) return;
        CheckpointEvent event = CheckpointEvent.begun();
        boolean isEmptied = tryEmpty(walBytes);
        isHeldUp = !isEmptied;
        triedBytes = walBytes;
        triedNanos = System.nanoTime();
        if (event != null) event.ended(walBytes, isEmptied);
    }

    /// Makes the last checkpoint before the file is closed. Our own readers are closed by then.
    void last() {
        try {
            if (!truncate(LEAVE_WAIT)) LOG.info("Another process still reads {}; its WAL stays until that ends", file);
        } catch (PerigeeException e) {
            LOG.warn("The last checkpoint failed; the next start repeats it", e);
        }
    }

    private boolean tryEmpty(long walBytes) {
        try {
            CheckpointResult passive = checkpoint(CheckpointMode.PASSIVE);
            count(passive);
            boolean isAllMoved = !passive.busy() && passive.checkpointedFrames() == passive.logFrames();
            if (isAllMoved && truncate(Duration.ZERO)) return true;
            // Another process may hold the WAL for as long as it likes. Waiting for it at every try would stop the
            // writer.
            boolean mayForce = System.nanoTime() - blockedNanos >= RETRY_NANOS;
            return walBytes >= config.walLimitBytes() && mayForce && emptyByForce(walBytes);
        } catch (PerigeeException e) {
            warn("A checkpoint failed; the WAL has %d bytes: %s".formatted(walBytes, e.getMessage()));
            return false;
        }
    }

    private boolean emptyByForce(long walBytes) {
        TimeGuard.End end = new TimeGuard.End(
                Fault.TIME_LIMIT,
                "it was the oldest read while the WAL had %d bytes, over walLimitBytes = %d, and kept the WAL from being emptied"
                        .formatted(walBytes, config.walLimitBytes()));
        while (!truncate(LEAVE_WAIT)) {
            if (!readers.endOldest(end)) {
                blockedNanos = System.nanoTime();
                counts = new Counts(counts.moved, counts.interruptedReads, counts.blocked + 1);
                String who = readers.active() > 0
                        ? "reads that were told to end but have not ended yet"
                        : "another process that is reading " + file;
                warn("The WAL has %d bytes, over its limit of %d, and is held by %s"
                        .formatted(walBytes, config.walLimitBytes(), who));
                return false;
            }
            counts = new Counts(counts.moved, counts.interruptedReads + 1, counts.blocked);
            LOG.warn(
                    "A read was ended because it kept the WAL of {} bytes from being emptied (limit {})",
                    walBytes,
                    config.walLimitBytes());
        }
        return true;
    }

    private boolean truncate(Duration wait) {
        connection.busyTimeout(wait);
        try {
            CheckpointResult result = checkpoint(CheckpointMode.TRUNCATE);
            if (result.busy()) count(result);
            else framesMovedBefore = 0;
            return !result.busy();
        } finally {
            connection.busyTimeout(Connections.BUSY_WAIT);
        }
    }

    /// An interrupt meant for a caller's write may arrive after its last statement. SQLite discards it when the next
    /// statement begins. A checkpoint is not a statement and would fail because of it, so a statement runs first.
    private CheckpointResult checkpoint(CheckpointMode mode) {
        connection.exec("SELECT 1");
        return connection.checkpoint(mode);
    }

    private void count(CheckpointResult result) {
        if (result.checkpointedFrames() != framesMovedBefore && result.checkpointedFrames() > 0) {
            counts = new Counts(counts.moved + 1, counts.interruptedReads, counts.blocked);
        }
        framesMovedBefore = result.checkpointedFrames();
    }

    private long walBytes() {
        return Store.size(Connections.wal(file));
    }

    private void warn(String what) {
        if (System.nanoTime() - warnedNanos < WARN_NANOS) return;
        warnedNanos = System.nanoTime();
        LOG.warn("{} (logged at most once a minute)", what);
    }
}
