package dev.perigee.store;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Ends the work that runs on one connection, when its time is up, when it has written more than it may, or for a
/// reason from outside.
///
/// SQLite forgets an interrupt that arrives while no statement runs, so one that was meant for work is repeated by the
/// [Watchdog] until the work ends; and one that arrives late must not hit the next work, so both happen under this
/// guard's monitor.
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

    /// @param walBytes how large the WAL is; asked only while work that is limited by it runs
    /// @param rest what is to be done now and then while no work runs
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

    /// Work begins, for `limit` nanoseconds at most.
    void begin(long limit) {
        begin(limit, NO_LIMIT);
    }

    /// @param maxBytes by how much the WAL may grow meanwhile
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

    /// The work is over: from here on nothing interrupts the connection. For the thread that owns it.
    ///
    /// @return why it was ended, null where it ended by itself
    synchronized @Nullable End finish() {
        // A limit is a limit, also for work that the watchdog did not get round to or that was between statements.
        if (end == null) end = overLimit();
        isRunning = false;
        return end;
    }

    /// Ends the work that runs.
    ///
    /// @return whether it was this call that ended it
    boolean end(End why) {
        synchronized (this) {
            if (!isRunning || end != null) return false;
            end = why;
            connection.interrupt();
        }
        wakeWatchdog.run();
        return true;
    }

    /// Why the work is to end; null while it may go on.
    @Nullable
    End ended() {
        return end;
    }

    /// When the work began, where some runs that was not told to end.
    synchronized long startedNanosOr(long none) {
        return isRunning && end == null ? startedNanos : none;
    }

    synchronized boolean isRunning() {
        return isRunning;
    }

    /// Interrupts work that is past a limit.
    ///
    /// @return whether there is work that has to be looked at again
    synchronized boolean look() {
        if (!isRunning) return false;
        if (end == null) end = overLimit();
        if (end != null) connection.interrupt();
        return end != null || limitNanos != NO_LIMIT || maxWalBytes != NO_LIMIT;
    }

    /// Not under the monitor: it may take the connection, whose user takes the monitor.
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
