package dev.perigee.store;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Ends the work that is running on one connection: past its time limit, past its limit of WAL growth, or for a reason
/// from outside.
///
/// SQLite discards an interrupt that arrives while no statement runs, so the [Watchdog] repeats it until the work ends.
/// A late interrupt must not hit the next work, so interrupting and finishing both hold this guard's monitor.
final class TimeGuard {
    /// Why work was ended.
    record End(Fault fault, String what) {
        PerigeeException in(String where, String state, @Nullable Throwable cause) {
            return cause == null ? fault.in(where, what, state) : fault.in(where, what, state, cause);
        }
    }

    static final long NO_LIMIT = Long.MAX_VALUE;

    private final SqliteConnection connection;
    private final LongSupplier walBytes;
    private final Runnable wakeWatchdog;
    private final Runnable rest;
    private boolean isRunning;
    private long startedNanos;
    private long limitNanos = NO_LIMIT;
    private long startedWalBytes;
    private long maxWalBytes = NO_LIMIT;
    private volatile @Nullable End end;

    /// @param walBytes gives the size of the WAL; called only while work with a limit on it runs
    /// @param wakeWatchdog wakes the watchdog's thread if it sleeps
    /// @param rest what the watchdog does now and then while no work runs
    TimeGuard(SqliteConnection connection, LongSupplier walBytes, Runnable wakeWatchdog, Runnable rest) {
        this.connection = connection;
        this.walBytes = walBytes;
        this.wakeWatchdog = wakeWatchdog;
        this.rest = rest;
    }

    /// Nanoseconds of a limit, which must be positive.
    static long nanos(Duration limit) {
        if (limit.isNegative() || limit.isZero()) {
            throw new IllegalArgumentException("a time limit is more than zero, not " + limit);
        }
        return limit.compareTo(Duration.ofDays(365)) > 0 ? NO_LIMIT : limit.toNanos();
    }

    /// Called when work begins; it may run for `limit` nanoseconds.
    void begin(long limit) {
        begin(limit, NO_LIMIT);
    }

    /// @param maxBytes by how much the WAL may grow during the work
    void begin(long limit, long maxBytes) {
        synchronized (this) {
            isRunning = true;
            startedNanos = System.nanoTime();
            limitNanos = limit;
            maxWalBytes = maxBytes;
            if (maxBytes != NO_LIMIT) startedWalBytes = walBytes.getAsLong();
            end = null;
        }
        if (limit != NO_LIMIT || maxBytes != NO_LIMIT) wakeWatchdog.run();
    }

    /// Called when the work is over. Nothing interrupts the connection after this. Only on the thread that has the
    /// connection.
    ///
    /// @return why the work was ended; null if it ended by itself within its limits
    synchronized @Nullable End finish() {
        // The limit also holds for work that the watchdog did not check in time, or that was between two statements.
        if (end == null) end = overLimit();
        isRunning = false;
        return end;
    }

    /// Ends the running work, if there is any. Any thread.
    ///
    /// @return whether this call ended it; false if no work runs or it was told to end before
    boolean end(End why) {
        synchronized (this) {
            if (!isRunning || end != null) return false;
            end = why;
            connection.interrupt();
        }
        wakeWatchdog.run();
        return true;
    }

    /// Why the work has been told to end; null if it may continue.
    @Nullable
    End ended() {
        return end;
    }

    /// When the running work began, as [System#nanoTime()]; `none` if no work runs or it was already told to end.
    synchronized long startedNanosOr(long none) {
        return isRunning && end == null ? startedNanos : none;
    }

    synchronized boolean isRunning() {
        return isRunning;
    }

    /// Interrupts work that is past a limit. Called by the watchdog.
    ///
    /// @return whether work is running that must be checked again
    synchronized boolean look() {
        if (!isRunning) return false;
        if (end == null) end = overLimit();
        if (end != null) connection.interrupt();
        return end != null || limitNanos != NO_LIMIT || maxWalBytes != NO_LIMIT;
    }

    /// Runs the rest action if no work is running. Called by the watchdog. It does not hold this monitor: the action
    /// may lock the connection, whose user in turn takes this monitor.
    void rest() {
        if (!isRunning()) rest.run();
    }

    private @Nullable End overLimit() {
        if (limitNanos != NO_LIMIT && System.nanoTime() - startedNanos >= limitNanos) {
            return new End(Fault.TIME_LIMIT, "it ran longer than its limit of %d ms".formatted(limitNanos / 1_000_000));
        }
        if (maxWalBytes == NO_LIMIT) return null;
        long grownBytes = walBytes.getAsLong() - startedWalBytes;
        if (grownBytes <= maxWalBytes) return null;
        return new End(
                Fault.TOO_LARGE,
                "its transaction added %d bytes to the WAL, more than query.maxWriteBytes = %d"
                        .formatted(grownBytes, maxWalBytes));
    }
}
