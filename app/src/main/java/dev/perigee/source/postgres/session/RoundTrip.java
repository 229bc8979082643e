package dev.perigee.source.postgres.session;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.jdbc.PgConnection;

/// Several statements that are sent together, so that they cost one round trip. The server keeps the questions prepared
/// where [KeptStatements] allows it.
public final class RoundTrip {
    private final PgConnection session;
    private final KeptStatements kept;
    private final boolean isKept;
    private final List<String> texts = new ArrayList<>();
    private final List<String> bound = new ArrayList<>();

    public RoundTrip(PgConnection session, KeptStatements kept) {
        this.session = session;
        this.kept = kept;
        this.isKept = kept.isDirect(session);
    }

    /// Adds a statement without an answer.
    public RoundTrip set(String sql) {
        texts.add(sql);
        return this;
    }

    /// Adds a statement with an answer.
    ///
    /// @param sql with a `?` for each parameter, and no other
    /// @param parameters in PostgreSQL's text form
    public RoundTrip ask(String sql, String... parameters) throws SQLException {
        if (isKept) {
            texts.add(kept.kept(session, sql, List.of(parameters)));
        } else {
            texts.add(sql);
            bound.addAll(List.of(parameters));
        }
        return this;
    }

    /// Sends the statements, and hands out their answers one by one.
    public Answers send() throws SQLException {
        PreparedStatement statement = session.prepareStatement(String.join(";\n", texts));
        try {
            for (int i = 0; i < bound.size(); i++) statement.setString(i + 1, bound.get(i));
            return new Answers(statement, statement.execute());
        } catch (Throwable e) {
            statement.close();
            throw e;
        }
    }

    /// The answers, in the order in which the statements were added.
    public static final class Answers implements AutoCloseable {
        private final Statement statement;
        private boolean isAtAnswer; // at one that was not handed out

        private Answers(Statement statement, boolean isAtAnswer) {
            this.statement = statement;
            this.isAtAnswer = isAtAnswer;
        }

        /// The answer of the next question. The one before is closed.
        public ResultSet next() throws SQLException {
            boolean isAnswer = isAtAnswer || statement.getMoreResults();
            while (!isAnswer) {
                if (statement.getUpdateCount() < 0) throw new IllegalStateException("there is no further answer");
                isAnswer = statement.getMoreResults();
            }
            isAtAnswer = false;
            return statement.getResultSet();
        }

        @Override
        public void close() throws SQLException {
            statement.close();
        }
    }
}
