package dev.perigee.source.postgres.session;

import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.postgresql.jdbc.PgConnection;

/// The server processes that run our own read-only transactions. These change nothing, however long they take. Safe for
/// many threads.
///
/// Each transaction asks for its process number with `pg_backend_pid()`. The number that the login returned is useless
/// behind a pooler, which invents it. A pooler also gives the process to another client between two transactions. So a
/// process counts as ours from when it told its number until just before its transaction ends.
public final class OwnTransactions {
    private record Loan(int process, long number) {}

    private final Map<PgConnection, Loan> lent = new ConcurrentHashMap<>();
    private final AtomicLong loans = new AtomicLong();

    /// Records that the session is in a read-only transaction, run by `process`.
    public void lend(PgConnection session, int process) {
        lent.put(session, new Loan(process, loans.incrementAndGet()));
    }

    /// Records that the session's transaction is about to end.
    public void giveBack(PgConnection session) {
        lent.remove(session);
    }

    /// Commits the session's transaction, after [#giveBack].
    public void commit(PgConnection session) throws SQLException {
        giveBack(session);
        session.commit();
    }

    /// The processes lent now, each with the number of its loan.
    public Map<Integer, Long> lent() {
        Map<Integer, Long> processes = new HashMap<>();
        lent.values().forEach(loan -> processes.put(loan.process(), loan.number()));
        return processes;
    }

    /// Whether every loan in `before` still lasts. A process that was given back may since run a transaction that
    /// writes.
    public boolean areStill(Map<Integer, Long> before) {
        return lent().entrySet().containsAll(before.entrySet());
    }
}
