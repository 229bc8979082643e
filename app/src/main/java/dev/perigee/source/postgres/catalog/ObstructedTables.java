package dev.perigee.source.postgres.catalog;

import dev.perigee.source.TableId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Set;
import org.postgresql.jdbc.PgConnection;

/// Tables that cannot be read now, because another session has locked them, a partition or an index of theirs against
/// reading, or waits for such a lock.
///
/// @see <a href="https://www.postgresql.org/docs/current/view-pg-locks.html">pg_locks</a>
public final class ObstructedTables {
    private static final String LOCKED = """
            WITH RECURSIVE locked (oid) AS (
                SELECT coalesce(i.indrelid, l.relation)
                FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = l.relation
                WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
                  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
              UNION
                SELECT h.inhparent FROM locked JOIN pg_catalog.pg_inherits h ON h.inhrelid = locked.oid
            )
            SELECT n.nspname, c.relname
            FROM locked JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace""";

    private ObstructedTables() {}

    public static Set<TableId> of(PgConnection session) throws SQLException {
        Set<TableId> tables = new HashSet<>();
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(LOCKED)) {
            while (row.next()) tables.add(new TableId(row.getString(1), row.getString(2)));
        }
        return tables;
    }
}
