package dev.perigee.source.postgres;

import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.PostgresFaults;
import dev.perigee.statement.FreshnessToken;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.postgresql.jdbc.PgConnection;

/// Finds the number of the transaction that a session is in, if it has written.
final class WrittenTransaction {
    /// The number is given at the first write, so a transaction that only reads has none.
    private static final String NUMBER = "pg_catalog.pg_current_xact_id_if_assigned()";

    private static final String CANCELED = "57014";

    private WrittenTransaction() {}

    /// The transaction as a token; empty if it has not written, or the server does not tell. One round trip. A refusal
    /// does not harm the transaction: its statements may have taken rights away that the session had before.
    static Optional<FreshnessToken> find(PgConnection session, Capabilities can) throws SQLException {
        String number = can.orNull(session, NUMBER);
        String system = can.orNull(session, PostgresIdentity.SYSTEM);
        try (Statement statement = session.createStatement()) {
            statement.execute("SAVEPOINT perigee_token; SELECT (%s)::text, (%s)::text; RELEASE SAVEPOINT perigee_token"
                    .formatted(number, system));
            statement.getMoreResults(); // after the savepoint
            return token(statement.getResultSet());
        } catch (SQLException e) {
            if (!PostgresFaults.leavesSessionUsable(e) || CANCELED.equals(e.getSQLState())) throw e;
            try (Statement statement = session.createStatement()) {
                statement.execute("ROLLBACK TO SAVEPOINT perigee_token; RELEASE SAVEPOINT perigee_token");
            }
            return Optional.empty();
        }
    }

    private static Optional<FreshnessToken> token(ResultSet row) throws SQLException {
        row.next();
        String written = row.getString(1);
        if (written == null) return Optional.empty();
        String system = Optional.ofNullable(row.getString(2)).orElse(FreshnessToken.UNKNOWN_SYSTEM);
        return Optional.of(new FreshnessToken.Transaction(system, Long.parseLong(written)));
    }
}
