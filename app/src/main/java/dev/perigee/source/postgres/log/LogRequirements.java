package dev.perigee.source.postgres.log;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.LogTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.postgresql.jdbc.PgConnection;

/// Checks that PostgreSQL can send a table's changes, that a copy can follow them, and that publishing the table does
/// not make the application's own statements fail. Changes nothing.
///
/// @see <a href="https://www.postgresql.org/docs/current/logical-replication-restrictions.html">Restrictions</a>
record LogRequirements(PgConnection session, LogTable wanted) {
    /// What managed services call the setting.
    private static final String LOGICAL = """
            set `wal_level = logical` and restart the server (Amazon RDS and Aurora: the parameter \
            `rds.logical_replication = 1`; Cloud SQL and AlloyDB: the flag `cloudsql.logical_decoding` or \
            `alloydb.logical_decoding`; Azure: the server parameter `wal_level`; Neon: Logical Replication in the \
            project's settings; Supabase has it on)""";

    private static final String SERVER = """
            SELECT pg_is_in_recovery(), current_setting('wal_level'), current_user::text, current_database()::text,
                   has_database_privilege(current_database(), 'CREATE'),
                   current_setting('server_version_num')::int""";

    private static final String TABLE = """
            SELECT c.relkind, c.relpersistence, c.relreplident, pg_has_role(c.relowner, 'USAGE'),
                   pg_get_userbyid(c.relowner)::text, row_security_active(c.oid),
                   EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid),
                   EXISTS (SELECT FROM pg_catalog.pg_attribute a
                           WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attgenerated = 'v'),
                   ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i
                         CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
                         WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND k.place <= i.indnkeyatts
                           AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = ? AND c.relname = ?""";

    /// A pull casts values of unknown types to text, and a cast may be a function of its own.
    private static final String COLUMNS = """
            SELECT a.attname, a.attgenerated,
                   EXISTS (SELECT FROM pg_catalog.pg_cast k
                           WHERE k.castsource = a.atttypid AND k.casttarget = 'pg_catalog.text'::regtype
                             AND k.castmethod = 'f' AND k.oid >= 16384)
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = ? AND c.relname = ? AND a.attnum > 0 AND NOT a.attisdropped""";

    private static final int SENDS_GENERATED = 180_000;

    private record Server(
            boolean isStandby, String level, String user, String database, boolean mayPublish, int version) {}

    private record Table(
            char kind,
            char persistence,
            char identity,
            boolean isOwned,
            String owner,
            boolean isFiltered,
            boolean hasChildren,
            boolean hasVirtual,
            Set<String> identityColumns) {}

    /// @throws PerigeeException see [dev.perigee.source.SourceLog#require]
    void check() throws SQLException {
        Server server = server();
        check(server);
        Table table = table();
        check(table);
        checkRights(server, table);
        checkIdentity(server, table);
        checkColumns(server);
    }

    private void check(Server server) {
        if (server.isStandby()) {
            throw refused("the server is a standby, on which no publication can be created", "connect to the primary");
        }
        if (!server.level().equals("logical")) {
            throw refused(
                    "`wal_level` is `%s`, and the log can be followed only with `logical`".formatted(server.level()),
                    LOGICAL);
        }
    }

    private void check(Table table) {
        String other = "follow it in another `mode`";
        if (table.kind() == 'p') {
            throw refused(
                    "it is partitioned: the log does not tell when a partition is detached, dropped or emptied", other);
        }
        if (table.kind() != 'r') throw refused("it is not a table, and the log has only changes of tables", other);
        if (table.persistence() != 'p') {
            throw refused(
                    "it is unlogged or temporary, and the log has no changes of it",
                    other + ", or run at the source: ALTER TABLE %s SET LOGGED".formatted(name()));
        }
        if (table.hasChildren()) throw refused("other tables inherit from it, whose rows the log tells apart", other);
        if (table.isFiltered()) {
            throw refused(
                    "row-level security hides rows from the source's user, and the log tells all of them",
                    other + ", or run at the source: ALTER ROLE … BYPASSRLS");
        }
    }

    private void checkRights(Server server, Table table) {
        String user = PostgresNames.name(server.user());
        if (!server.mayPublish()) {
            throw permission(
                    "the user %s may not create a publication".formatted(server.user()),
                    "run at the source: GRANT CREATE ON DATABASE %s TO %s"
                            .formatted(PostgresNames.name(server.database()), user));
        }
        if (!table.isOwned()) {
            throw permission(
                    "the user %s may not publish the table, which takes the rights of its owner"
                            .formatted(server.user()),
                    "run at the source: GRANT %s TO %s".formatted(PostgresNames.name(table.owner()), user));
        }
    }

    /// PostgreSQL refuses the application's UPDATE and DELETE on a published table without a replica identity.
    private void checkIdentity(Server server, Table table) {
        boolean isFull = table.identity() == 'f';
        if (isFull && table.hasVirtual() && server.version() >= SENDS_GENERATED) {
            throw refused(
                    "its replica identity is FULL and it has virtual generated columns; once it is published, PostgreSQL would refuse UPDATE and DELETE on it",
                    "run at the source: ALTER TABLE %s REPLICA IDENTITY DEFAULT".formatted(name()));
        }
        if (isFull || table.identityColumns().containsAll(wanted.key())) return;
        String found = table.identityColumns().isEmpty()
                ? "it has no replica identity, so once it is published, PostgreSQL would refuse UPDATE and DELETE on it"
                : "its replica identity is %s, but the copy's key is %s"
                        .formatted(table.identityColumns().stream().sorted().toList(), wanted.key());
        throw refused(
                found,
                "run at the source: ALTER TABLE %s REPLICA IDENTITY USING INDEX …, with a unique index on %s; or ALTER TABLE %s REPLICA IDENTITY FULL"
                        .formatted(name(), columns(wanted.key()), name()));
    }

    private void checkColumns(Server server) throws SQLException {
        Set<String> copied = Set.copyOf(wanted.columnNames());
        try (PreparedStatement statement = named(COLUMNS);
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                String column = row.getString(1);
                if (!copied.contains(column)) continue;
                String generated = row.getString(2);
                boolean isSent = generated.isEmpty() || generated.equals("s") && server.version() >= SENDS_GENERATED;
                if (!isSent) {
                    throw refused(
                            "the column \"%s\" is generated, and the log does not have its values".formatted(column),
                            "leave the column out with `exclude`, or follow the table in another `mode`");
                }
                if (row.getBoolean(3)) {
                    throw refused(
                            "the column \"%s\" has a type with a cast to text of its own, which the log does not apply"
                                    .formatted(column),
                            "leave the column out with `exclude`, or follow the table in another `mode`");
                }
            }
        }
    }

    private Server server() throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(SERVER)) {
            row.next();
            return new Server(
                    row.getBoolean(1),
                    row.getString(2),
                    row.getString(3),
                    row.getString(4),
                    row.getBoolean(5),
                    row.getInt(6));
        }
    }

    private Table table() throws SQLException {
        try (PreparedStatement statement = named(TABLE);
                ResultSet row = statement.executeQuery()) {
            if (!row.next()) {
                throw Fault.SOURCE_TABLE_MISSING.in(
                        "table " + wanted.table(), "the source has no such table", "Nothing was changed");
            }
            return new Table(
                    row.getString(1).charAt(0),
                    row.getString(2).charAt(0),
                    row.getString(3).charAt(0),
                    row.getBoolean(4),
                    row.getString(5),
                    row.getBoolean(6),
                    row.getBoolean(7),
                    row.getBoolean(8),
                    Set.copyOf(Arrays.asList((String[]) row.getArray(9).getArray())));
        }
    }

    private PreparedStatement named(String sql) throws SQLException {
        TableId table = wanted.table();
        PreparedStatement statement = session.prepareStatement(sql);
        statement.setString(1, table.schema());
        statement.setString(2, table.name());
        return statement;
    }

    private String name() {
        return PostgresNames.table(wanted.table());
    }

    private static String columns(List<String> names) {
        return names.stream().map(PostgresNames::name).collect(Collectors.joining(", ", "(", ")"));
    }

    private PerigeeException refused(String what, String remedy) {
        return Fault.INVALID_REQUEST.in("table " + wanted.table(), what, "Nothing was changed", remedy);
    }

    private PerigeeException permission(String what, String remedy) {
        return Fault.SOURCE_PERMISSION.in("table " + wanted.table(), what, "Nothing was changed", remedy);
    }
}
