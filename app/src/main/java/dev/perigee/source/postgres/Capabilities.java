package dev.perigee.source.postgres;

import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.postgresql.jdbc.PgConnection;

/// What this server answers and what it refuses. Hosted servers grant functions and raise an error when they are
/// called, so nothing is inferred from rights: each expression is tried once, and the answer is remembered for a while.
/// Safe for many threads.
final class Capabilities {
    /// After that an expression is tried again: a server may be upgraded or fail over.
    private static final Duration KEPT = Duration.ofMinutes(30);

    private record Known(boolean isAnswered, long untilNanos) {}

    private final Map<String, Known> known = new ConcurrentHashMap<>();

    /// `expression`, to be selected, or `NULL` where the server refuses it.
    String orNull(PgConnection session, String expression) throws SQLException {
        return answers(session, expression) ? expression : "NULL";
    }

    /// Whether the server answers `SELECT expression`. The transaction that the session is in stays usable.
    boolean answers(PgConnection session, String expression) throws SQLException {
        Known before = known.get(expression);
        if (before != null && before.untilNanos() - System.nanoTime() > 0) return before.isAnswered();
        boolean isAnswered = tried(session, expression);
        known.put(expression, new Known(isAnswered, System.nanoTime() + KEPT.toNanos()));
        return isAnswered;
    }

    /// Everything is tried again: the server behind the address may be another one.
    void forget() {
        known.clear();
    }

    private static boolean tried(PgConnection session, String expression) throws SQLException {
        Savepoint before = session.setSavepoint();
        try (Statement statement = session.createStatement()) {
            statement.executeQuery("SELECT " + expression).close();
            session.releaseSavepoint(before);
            return true;
        } catch (SQLException e) {
            if (!isRefusal(e)) throw e;
            session.rollback(before);
            return false;
        }
    }

    /// Whether the server said no to what was asked, and not that it is short of something, stops or was interrupted.
    private static boolean isRefusal(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        return PostgresFaults.leavesSessionUsable(e) && !state.matches("(25|40|53|57|58).*");
    }
}
