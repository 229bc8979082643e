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
/// called, so nothing is inferred from rights: each expression is tried once, and the answer is remembered for a while.
/// Safe for many threads.
public final class Capabilities {
    /// After that an expression is tried again: a server may be upgraded or fail over.
    private static final Duration KEPT = Duration.ofMinutes(30);

    private record Known(boolean isAnswered, long untilNanos) {}

    private record Product(ServerProduct product, long untilNanos) {}

    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private volatile @Nullable Product product;
    private volatile String server = "";

    /// Asks a session that is in no transaction which product it talks to, where that is not known yet.
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

    /// `expression`, to be selected, or `NULL` where the server refuses it.
    public String orNull(PgConnection session, String expression) throws SQLException {
        return answers(session, expression) ? expression : "NULL";
    }

    /// Whether the server answers `SELECT expression`. The transaction that the session is in stays usable.
    public boolean answers(PgConnection session, String expression) throws SQLException {
        Known before = known.get(expression);
        if (before != null && before.untilNanos() - System.nanoTime() > 0) return before.isAnswered();
        boolean isAnswered = tried(session, expression);
        known.put(expression, new Known(isAnswered, System.nanoTime() + KEPT.toNanos()));
        return isAnswered;
    }

    /// Everything is tried again: the server behind the address may be another one.
    public void forget() {
        known.clear();
        product = null;
    }

    /// The server says that it is this one. What another one answered is forgotten.
    public void are(String identity) {
        if (server.equals(identity)) return;
        server = identity;
        forget();
    }

    private static boolean tried(PgConnection session, String expression) throws SQLException {
        return refusal(session, "SELECT " + expression).isEmpty();
    }

    /// What the server refuses `sql` with; empty where it answers. One round trip then, and the transaction that the
    /// session is in stays usable.
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

    /// Whether the server said no to what was asked, and not that it is short of something, stops or was interrupted.
    private static boolean isRefusal(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        return PostgresFaults.leavesSessionUsable(e) && !state.matches("(25|40|53|57|58).*");
    }
}
