package dev.perigee.source.postgres.session;

import dev.perigee.config.SourceConfig;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;

/// What this server answers and what it refuses. Hosted servers grant functions and raise an error when they are
/// called. So nothing is inferred from rights: each expression is tried once, and the answer is kept for a while. Safe
/// for many threads.
public final class Capabilities {
    /// How long an answer is kept. Then the expression is tried again, because a server may be upgraded or fail over.
    private static final Duration KEPT = Duration.ofMinutes(30);

    private record Known(boolean isAnswered, long untilNanos) {}

    private record Product(ServerProduct product, long untilNanos) {}

    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private volatile @Nullable Product product;
    private volatile String server = "";

    /// Requires that the server is a supported product. Where the product is not known yet, asks `session`, which must
    /// not be in a transaction.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#SOURCE_UNSUPPORTED]
    void requireSupported(PgConnection session, SourceConfig config) throws SQLException {
        Product before = product;
        if (before == null || before.untilNanos() - System.nanoTime() < 0) {
            before = new Product(ServerProduct.of(session), System.nanoTime() + KEPT.toNanos());
            product = before;
        }
        before.product().require(config);
    }

    /// `expression`, for use in a SELECT, or `NULL` where the server refuses it.
    public String orNull(PgConnection session, String expression) throws SQLException {
        return answers(session, expression) ? expression : "NULL";
    }

    /// Whether the server answers `SELECT expression`. The session's transaction stays usable.
    public boolean answers(PgConnection session, String expression) throws SQLException {
        Known before = known.get(expression);
        if (before != null && before.untilNanos() - System.nanoTime() > 0) return before.isAnswered();
        boolean isAnswered = tried(session, expression);
        known.put(expression, new Known(isAnswered, System.nanoTime() + KEPT.toNanos()));
        return isAnswered;
    }

    /// Forgets all answers, so that everything is tried again: the server behind the address may be another one.
    public void forget() {
        known.clear();
        product = null;
    }

    /// Tells which server answers now. If it is not the same as before, all answers are forgotten.
    public void are(String identity) {
        if (server.equals(identity)) return;
        server = identity;
        forget();
    }

    private static boolean tried(PgConnection session, String expression) throws SQLException {
        return refusal(session, "SELECT " + expression).isEmpty();
    }

    /// The error with which the server refuses `sql`; empty where it answers, which takes one round trip. The session's
    /// transaction stays usable.
    ///
    /// @throws SQLException for any other error, such as a lost connection
    public static Optional<SQLException> refusal(PgConnection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute("SAVEPOINT perigee_try; " + sql + "; RELEASE SAVEPOINT perigee_try");
            return Optional.empty();
        } catch (SQLException e) {
            if (!isRefusal(e)) throw e;
            try (Statement statement = session.createStatement()) {
                statement.execute("ROLLBACK TO SAVEPOINT perigee_try; RELEASE SAVEPOINT perigee_try");
            }
            return Optional.of(e);
        }
    }

    /// Whether the server refused what was asked. Other errors say that it lacks resources, is shutting down, or was
    /// interrupted.
    private static boolean isRefusal(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        return PostgresFaults.leavesSessionUsable(e) && !state.matches("(25|40|53|57|58).*");
    }
}
