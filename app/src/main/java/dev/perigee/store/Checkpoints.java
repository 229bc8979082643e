package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.CheckpointMode;
import dev.perigee.sqlite.SqliteConnection.CheckpointResult;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the WAL small, and says so when it cannot.
///
/// From `checkpointBytes` on, what can be moved into the file without waiting is moved, and the WAL is cut to nothing
/// if no reader is in it. A reader that began before the last commits keeps it from being emptied. Past `walLimitBytes`
/// our own reads are therefore ended, oldest first, until it can be; a reader in another process cannot be ended, only
/// reported. The size looked at is the file's: since we cut it each time, it is what is in use.
///
/// Belongs to the writer thread, but for [#counts()].
final class Checkpoints {
    /// @param moved checkpoints that moved frames
    /// @param interruptedReads reads ended because they held the WAL
    /// @param blocked checkpoints past the limit that somebody else held up
    record Counts(long moved, long interruptedReads, long blocked) {}

    /// How long the writer waits, past the limit, for readers to leave; before and after each one that is ended.
    private static final Duration LEAVE_WAIT = Duration.ofMillis(100);

    /// When a checkpoint that was held up is tried again, also without new writes.
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

    /// How long the writer may wait for work before it is to call [#tryNow()] again.
    long nanosToNextTry() {
        return isHeldUp ? RETRY_NANOS : Long.MAX_VALUE;
    }

    /// After each commit, and when a retry is due: a checkpoint if the WAL has grown enough.
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
        CheckpointEvent event = new CheckpointEvent();
        event.begin();
        boolean isEmptied = tryEmpty(walBytes);
        isHeldUp = !isEmptied;
        triedBytes = walBytes;
        triedNanos = System.nanoTime();
        event.walBytes = walBytes;
        event.isEmptied = isEmptied;
        event.commit();
    }

    /// The last one before the file is closed; the readers are gone.
    void last() {
        try {
            if (!truncate(LEAVE_WAIT)) LOG.info("Another process reads {}: its WAL stays until that ends", file);
        } catch (PerigeeException e) {
            LOG.warn("The last checkpoint failed; the next start makes up for it", e);
        }
    }

    private boolean tryEmpty(long walBytes) {
        try {
            CheckpointResult passive = checkpoint(CheckpointMode.PASSIVE);
            count(passive);
            boolean isAllMoved = !passive.busy() && passive.checkpointedFrames() == passive.logFrames();
            if (isAllMoved && truncate(Duration.ZERO)) return true;
            // Whoever is not ours holds it until it pleases; to wait for that at every try would stop the writer.
            boolean mayForce = System.nanoTime() - blockedNanos >= RETRY_NANOS;
            return walBytes >= config.walLimitBytes() && mayForce && emptyByForce(walBytes);
        } catch (PerigeeException e) {
            warn("A checkpoint failed, the WAL has %d bytes: %s".formatted(walBytes, e.getMessage()));
            return false;
        }
    }

    private boolean emptyByForce(long walBytes) {
        TimeGuard.End end = new TimeGuard.End(
                Fault.TIME_LIMIT,
                "it was the oldest read when the WAL had %d bytes, over walLimitBytes = %d, and kept it full"
                        .formatted(walBytes, config.walLimitBytes()));
        while (!truncate(LEAVE_WAIT)) {
            if (!readers.endOldest(end)) {
                blockedNanos = System.nanoTime();
                counts = new Counts(counts.moved, counts.interruptedReads, counts.blocked + 1);
                String who = readers.active() > 0
                        ? "reads that were told to end and have not yet"
                        : "another process that reads " + file;
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

    /// An interrupt that was meant for a caller's write may have come after its last statement. SQLite forgets it when
    /// the next statement begins, but a checkpoint is no statement and would fail of it.
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
        LOG.warn("{} (said at most once a minute)", what);
    }
}
