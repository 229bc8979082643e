package dev.perigee.source.postgres.session;

import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.postgresql.jdbc.PgConnection;

/// Which server processes run our own transactions that only read: those change nothing, however long they take. Safe
/// for many threads.
///
/// The number is asked for in each transaction, by `pg_backend_pid()`. The one that the login told is worth nothing
/// behind a pooler, which invents it, and which gives the process to somebody else between two transactions. So a
/// process is ours from when it has told its number until just before its transaction ends.
public final class OwnTransactions {
    private record Loan(int process, long number) {}

    private final Map<PgConnection, Loan> lent = new ConcurrentHashMap<>();
    private final AtomicLong loans = new AtomicLong();

    /// The session is in a transaction that only reads, run by this process.
    public void lend(PgConnection session, int process) {
        lent.put(session, new Loan(process, loans.incrementAndGet()));
    }

    /// The session's transaction is about to end.
    void giveBack(PgConnection session) {
        lent.remove(session);
    }

    /// Ends the session's transaction.
    public void commit(PgConnection session) throws SQLException {
        giveBack(session);
        session.commit();
    }

    /// Those lent now, each with the number of its loan.
    public Map<Integer, Long> lent() {
        Map<Integer, Long> processes = new HashMap<>();
        lent.values().forEach(loan -> processes.put(loan.process(), loan.number()));
        return processes;
    }

    /// Whether none of these was given back since: one that was may have been lent to somebody who writes.
    public boolean areStill(Map<Integer, Long> before) {
        return lent().entrySet().containsAll(before.entrySet());
    }
}
