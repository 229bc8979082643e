package dev.perigee.statement;

import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import org.jspecify.annotations.Nullable;

/// Ends a reading query from outside: its client disconnected, or its time is over. A write is not ended this way, so
/// that nobody has to guess whether it happened. Safe for many threads.
public final class Cancellation {
    private @Nullable Runnable running;
    private volatile @Nullable PerigeeException reason;

    /// Makes the query fail with `reason`; the first reason counts. SQLite loses an interrupt that arrives between two
    /// steps, so repeat the call until the query has ended.
    public synchronized void cancel(PerigeeException reason) {
        if (this.reason == null) this.reason = reason;
        if (running != null) running.run();
    }

    /// Starts interrupting `connection` on [#cancel].
    ///
    /// @throws PerigeeException the reason, if the query was already cancelled
    public synchronized void begin(SqliteConnection connection) {
        begin(connection::interrupt);
    }

    /// Starts calling `interrupt` on [#cancel], possibly more than once.
    ///
    /// @throws PerigeeException the reason, if the query was already cancelled
    public synchronized void begin(Runnable interrupt) {
        check();
        running = interrupt;
    }

    /// Stops interrupting. When this has returned, the connection may be used for something else.
    public synchronized void end() {
        running = null;
    }

    /// @throws PerigeeException the reason, if the query was cancelled
    public void check() {
        PerigeeException given = reason;
        if (given != null) throw given;
    }
}
