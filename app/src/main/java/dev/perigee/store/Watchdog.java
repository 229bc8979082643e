package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;

/// A thread that checks every [TimeGuard] each 10 ms while limited work runs, and for a second afterwards.
///
/// A timer per piece of work would wake a thread each time. This thread is woken only after it has been idle for a
/// second, so a short read costs no more than reading a volatile field.
final class Watchdog implements AutoCloseable {
    private static final long TICK_NANOS = Duration.ofMillis(10).toNanos();

    /// After so many ticks without work the thread sleeps until it is woken.
    private static final int IDLE_TICKS = 100;

    private final List<TimeGuard> guards = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private volatile boolean isAsleep;
    private volatile boolean isClosed;

    /// @param supervised wraps the thread's work so that it is run again if it ends with an exception
    Watchdog(UnaryOperator<Runnable> supervised) {
        this.thread = Thread.ofPlatform().daemon().name("perigee-watchdog").unstarted(supervised.apply(this::run));
        thread.start();
    }

    /// Makes a guard for `connection`. It must be removed by [#forget] before the connection is closed.
    ///
    /// @param walBytes gives the size of the WAL, for work with a limit on its growth
    TimeGuard guard(SqliteConnection connection, LongSupplier walBytes) {
        return guard(connection, walBytes, () -> {});
    }

    /// @param rest called with each check while no work runs under this guard
    TimeGuard guard(SqliteConnection connection, LongSupplier walBytes, Runnable rest) {
        TimeGuard guard = new TimeGuard(connection, walBytes, this::wake, rest);
        guards.add(guard);
        return guard;
    }

    void forget(TimeGuard guard) {
        guards.remove(guard);
    }

    @Override
    public void close() {
        isClosed = true;
        LockSupport.unpark(thread);
    }

    private void wake() {
        if (isAsleep) {
            isAsleep = false;
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        int idleTicks = 0;
        while (!isClosed) {
            idleTicks = look() ? 0 : idleTicks + 1;
            if (idleTicks < IDLE_TICKS) {
                LockSupport.parkNanos(TICK_NANOS);
                continue;
            }
            isAsleep = true;
            // Work that began before the flag was visible has not woken this thread, so check once more.
            if (!look() && !isClosed) LockSupport.park();
            isAsleep = false;
            idleTicks = 0;
        }
    }

    private boolean look() {
        boolean again = false;
        for (TimeGuard guard : guards) {
            again |= guard.look();
            guard.rest();
        }
        return again;
    }
}
