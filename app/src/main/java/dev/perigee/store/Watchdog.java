package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;

/// Looks at every [TimeGuard] while limited work runs, each hundredth of a second.
///
/// A timer per piece of work would wake a thread for each of them; this one is woken after an idle time only, so short
/// reads pay a volatile look.
final class Watchdog implements AutoCloseable {
    private static final long TICK_NANOS = Duration.ofMillis(10).toNanos();

    /// Ticks without work after which it sleeps until woken.
    private static final int IDLE_TICKS = 100;

    private final List<TimeGuard> guards = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private volatile boolean isAsleep;
    private volatile boolean isClosed;

    /// @param supervised what runs the work of its thread, and runs it again should it end
    Watchdog(UnaryOperator<Runnable> supervised) {
        this.thread = Thread.ofPlatform().daemon().name("perigee-watchdog").unstarted(supervised.apply(this::run));
        thread.start();
    }

    /// A guard for `connection`, to be given back by [#forget] before the connection closes.
    ///
    /// @param walBytes how large the WAL is, for work that is limited by it
    TimeGuard guard(SqliteConnection connection, LongSupplier walBytes) {
        return guard(connection, walBytes, () -> {});
    }

    /// @param rest called with each look while no work runs under the guard
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
            // Work that began before the flag was seen has not woken us: look once more.
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
