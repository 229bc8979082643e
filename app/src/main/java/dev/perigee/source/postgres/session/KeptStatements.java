package dev.perigee.source.postgres.session;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import org.postgresql.jdbc.PgConnection;

/// Statements that the server keeps prepared for a session, so that it need not plan them again. Only for sessions
/// without a pooler in between. Safe for many threads, as long as each session is used by one.
///
/// They are prepared by SQL, not by the driver: that forgets what it has prepared when a transaction changes the search
/// path.
public final class KeptStatements {
    /// SQLSTATE `invalid_sql_statement_name`.
    private static final String UNKNOWN = "26000";

    /// How many statements a session keeps, those used last.
    public static final int MOST = 32;

    private final Map<PgConnection, OfSession> sessions = new WeakHashMap<>();
    private long count;

    private static final class OfSession {
        private final Map<String, String> names = new LinkedHashMap<>(MOST, 0.75f, true);
        private boolean isDirect;
    }

    /// Tells which server process the session has now. A pooler invents the number that it tells at the login.
    public void isServedBy(PgConnection session, int process) {
        ofSession(session).isDirect = session.getBackendPID() == process;
    }

    /// Whether no pooler is in between, so that what is prepared stays with the session. False until a process was
    /// told.
    public boolean isDirect(PgConnection session) {
        return ofSession(session).isDirect;
    }

    /// Has the server prepare a statement, unless the session keeps it already.
    ///
    /// @param sql with a `?` for each parameter, and no other
    /// @param parameters in PostgreSQL's text form
    /// @return the statement that executes it
    public String kept(PgConnection session, String sql, List<String> parameters) throws SQLException {
        Map<String, String> names = ofSession(session).names;
        String name = names.get(sql);
        if (name == null) {
            name = prepared(session, names, parameters.isEmpty() ? sql : numbered(sql));
            names.put(sql, name);
        }
        if (parameters.isEmpty()) return "EXECUTE " + name;
        List<String> literals = new ArrayList<>();
        for (String parameter : parameters) literals.add("'%s'".formatted(session.escapeLiteral(parameter)));
        return "EXECUTE %s (%s)".formatted(name, String.join(", ", literals));
    }

    private String prepared(PgConnection session, Map<String, String> names, String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            if (names.size() >= MOST) {
                Iterator<String> oldest = names.values().iterator();
                statement.execute("DEALLOCATE " + oldest.next());
                oldest.remove();
            }
            String name = "perigee_" + next();
            statement.execute("PREPARE %s AS %s".formatted(name, sql));
            return name;
        }
    }

    /// The statement with `$1`, `$2` and so on for its parameters.
    private static String numbered(String sql) {
        StringBuilder numbered = new StringBuilder();
        int parameter = 0;
        for (String part : sql.split("\\?", -1)) {
            if (parameter > 0) numbered.append('$').append(parameter);
            numbered.append(part);
            parameter++;
        }
        return numbered.toString();
    }

    /// Has the session's statements prepared anew, if it failed because the server does not know one: somebody else has
    /// deallocated it.
    public void failed(PgConnection session, SQLException failure) {
        if (UNKNOWN.equals(failure.getSQLState())) forget(session);
    }

    /// Forgets a session's statements, which are deallocated.
    public synchronized void forget(PgConnection session) {
        sessions.remove(session);
    }

    private synchronized OfSession ofSession(PgConnection session) {
        return sessions.computeIfAbsent(session, _ -> new OfSession());
    }

    private synchronized long next() {
        return ++count;
    }
}
