package dev.perigee.statement;

import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import org.jspecify.annotations.Nullable;

/// Ends a query from outside while it reads: its client went away, or its time is over. What it writes is not ended
/// this way, so that nobody has to guess whether a write happened. Safe for many threads.
public final class Cancellation {
    private @Nullable Runnable running;
    private volatile @Nullable PerigeeException reason;

    /// Makes the query fail with `reason`. An interrupt that comes between two steps is lost on SQLite, so whoever
    /// wants the query ended calls this again until it has.
    public synchronized void cancel(PerigeeException reason) {
        if (this.reason == null) this.reason = reason;
        if (running != null) running.run();
    }

    /// From now on a cancel interrupts `connection`.
    public synchronized void begin(SqliteConnection connection) {
        begin(connection::interrupt);
    }

    /// From now on a cancel calls `interrupt`, more than once where once is not enough.
    public synchronized void begin(Runnable interrupt) {
        check();
        running = interrupt;
    }

    /// The connection goes to somebody else; it is not interrupted any more once this returns.
    public synchronized void end() {
        running = null;
    }

    public void check() {
        PerigeeException given = reason;
        if (given != null) throw given;
    }
}
