package dev.perigee.source.postgres.session;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.WeakHashMap;
import org.postgresql.jdbc.PgConnection;

/// Statements without parameters that the server keeps prepared for a session, so that it need not plan them again.
/// Only for sessions without a pooler in between. Safe for many threads, as long as each session is used by one.
///
/// They are prepared by SQL, not by the driver: that forgets what it has prepared when a transaction changes the search
/// path.
public final class KeptStatements {
    /// How many statements a session keeps, those used last.
    static final int MOST = 8;

    private final Map<PgConnection, Map<String, String>> names = new WeakHashMap<>();
    private long count;

    /// Has the server prepare a statement, unless the session keeps it already.
    ///
    /// @return the statement that executes it
    public String kept(PgConnection session, String sql) throws SQLException {
        Map<String, String> ofSession = ofSession(session);
        String known = ofSession.get(sql);
        if (known != null) return "EXECUTE " + known;
        try (Statement statement = session.createStatement()) {
            if (ofSession.size() >= MOST) {
                Iterator<String> oldest = ofSession.values().iterator();
                statement.execute("DEALLOCATE " + oldest.next());
                oldest.remove();
            }
            String name = "perigee_" + next();
            statement.execute("PREPARE %s AS %s".formatted(name, sql));
            ofSession.put(sql, name);
            return "EXECUTE " + name;
        }
    }

    /// Forgets a session's statements, after the server said that it does not know one.
    public synchronized void forget(PgConnection session) {
        names.remove(session);
    }

    private synchronized Map<String, String> ofSession(PgConnection session) {
        return names.computeIfAbsent(session, _ -> new LinkedHashMap<>(MOST, 0.75f, true));
    }

    private synchronized long next() {
        return ++count;
    }
}
