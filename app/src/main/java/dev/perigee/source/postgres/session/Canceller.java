package dev.perigee.source.postgres.session;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks the server to end the statement that a session runs. The caller does not wait, because the request goes over a
/// connection of its own, which a silent server may hold up for seconds. Safe for many threads.
public final class Canceller {
    private static final Logger LOG = LoggerFactory.getLogger(Canceller.class);

    private final PgConnection session;
    private @Nullable Thread asking;

    public Canceller(PgConnection session) {
        this.session = session;
    }

    /// Sends a request in the background; does nothing while the previous request is in progress. A request that
    /// arrives between two statements ends none.
    public synchronized void cancel() {
        Thread before = asking;
        if (before != null && before.isAlive()) return;
        asking = Thread.ofVirtual().name("perigee-cancel").start(this::ask);
    }

    /// Returns when no request is in progress any more, so that none ends what the session is used for next.
    public void awaitEnd() {
        Thread last;
        synchronized (this) {
            last = asking;
        }
        boolean isInterrupted = false;
        while (last != null && last.isAlive()) {
            try {
                last.join();
            } catch (InterruptedException _) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) Thread.currentThread().interrupt();
    }

    private void ask() {
        try {
            session.cancelQuery();
        } catch (SQLException e) {
            LOG.debug("A statement could not be cancelled; its time limit ends it", e);
        }
    }
}
