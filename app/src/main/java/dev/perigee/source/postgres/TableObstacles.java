package dev.perigee.source.postgres;

import dev.perigee.fault.Fault;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Obstacle.Effect;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.PostgresFaults;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.Array;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.postgresql.jdbc.PgConnection;

/// Finds the obstacles to copying tables. To learn whether all rows of a table can be read, it sends the read that a
/// sync would send, but for no row (`LIMIT 0`). Obstacles that cause no refusal are found in the catalog.
record TableObstacles(PgConnection session, PostgresSnapshot snapshot) {
    /// Limits the wait for a table that somebody has locked.
    private static final String LOCK_LIMIT = "SET LOCAL lock_timeout = '2s'";

    private static final String FACTS = """
            SELECT n.nspname, c.relname, c.relpersistence = 'u' AS is_unlogged,
                   ARRAY(SELECT format('%I.%I', sn.nspname, s.relname)
                         FROM pg_catalog.pg_depend d
                         JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
                         JOIN pg_catalog.pg_class s ON s.oid = q.seqrelid
                         JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
                         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
                           AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid
                           AND d.refobjsubid > 0 AND NOT has_sequence_privilege(q.seqrelid, 'USAGE, SELECT')
                         ORDER BY 1) AS hidden_sequences
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE (n.nspname, c.relname) IN (SELECT s, t FROM unnest(?::text[], ?::text[]) AS wanted (s, t))""";

    /// The roles whose rights are checked when a relation is read. Behind a view it is the view's owner, or the
    /// source's user where the view is a `security_invoker`, whatever the views above it are. A function reads with the
    /// rights of its caller, who is the source's user, or as `SECURITY DEFINER` with those of its owner.
    ///
    /// Returns the roles from which policies hide rows, each with the table's owner where membership in that owner
    /// helps. An owner who is a superuser is left out: nobody should become a superuser for reading. Functions hide
    /// what they read, so they count only where no table is found.
    private static final String READERS = """
            WITH RECURSIVE me (oid) AS (
                SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user
            ), read (class, oid, reader) AS (
                SELECT 'pg_catalog.pg_class'::regclass::oid, c.oid, me.oid
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace CROSS JOIN me
                WHERE n.nspname = ? AND c.relname = ?
              UNION
                SELECT d.refclassid, d.refobjid, by.reader
                FROM read
                CROSS JOIN LATERAL (
                    SELECT 'pg_catalog.pg_rewrite'::regclass::oid, r.oid, CASE WHEN coalesce((
                        SELECT option_value::bool FROM pg_options_to_table(v.reloptions)
                        WHERE option_name = 'security_invoker'), false) THEN me.oid ELSE v.relowner END
                    FROM pg_catalog.pg_class v JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid CROSS JOIN me
                    WHERE read.class = 'pg_catalog.pg_class'::regclass AND v.oid = read.oid AND v.relkind = 'v'
                  UNION ALL
                    SELECT read.class, p.oid, CASE WHEN p.prosecdef THEN p.proowner ELSE me.oid END
                    FROM pg_catalog.pg_proc p CROSS JOIN me
                    WHERE read.class = 'pg_catalog.pg_proc'::regclass AND p.oid = read.oid
                ) AS by (class, oid, reader)
                JOIN pg_catalog.pg_depend d ON d.classid = by.class AND d.objid = by.oid
                    AND d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass)
                    AND (d.refclassid, d.refobjid) <> (read.class, read.oid)
            )
            SELECT DISTINCT c.oid IS NULL AS is_function, reader.rolname,
                   CASE WHEN NOT c.relforcerowsecurity AND NOT owner.rolsuper THEN owner.rolname END
            FROM read
            LEFT JOIN pg_catalog.pg_class c ON read.class = 'pg_catalog.pg_class'::regclass AND c.oid = read.oid
            LEFT JOIN pg_catalog.pg_proc p ON read.class = 'pg_catalog.pg_proc'::regclass AND p.oid = read.oid
            LEFT JOIN pg_catalog.pg_roles owner ON owner.oid = c.relowner
            CROSS JOIN me
            JOIN pg_catalog.pg_roles reader ON reader.oid = CASE WHEN p.oid IS NULL THEN read.reader
                                                                 WHEN p.prosecdef THEN p.proowner ELSE me.oid END
            WHERE NOT reader.rolsuper AND NOT reader.rolbypassrls AND (p.oid IS NOT NULL OR c.relrowsecurity AND (
                c.relforcerowsecurity OR NOT pg_has_role(reader.oid, c.relowner, 'USAGE')))
            ORDER BY 1, 2, 3""";

    private record Facts(boolean isUnlogged, List<String> hiddenSequences) {}

    /// @param owner the table's owner, whose members see all rows; empty where they do not, or would be superusers
    private record Reader(String role, Optional<String> owner) {}

    Map<TableId, List<Obstacle>> of(List<SourceTable> tables) throws SQLException {
        Map<TableId, Facts> facts = facts(tables);
        try (Statement statement = session.createStatement()) {
            statement.execute(LOCK_LIMIT);
        }
        Map<TableId, List<Obstacle>> obstacles = new HashMap<>();
        for (SourceTable table : tables) {
            Facts known = facts.get(table.id());
            if (known == null) continue; // dropped in the meantime
            List<Obstacle> found = new ArrayList<>();
            Optional<SQLException> refusal =
                    Capabilities.refusal(session, "SELECT FROM %s LIMIT 0".formatted(PostgresNames.table(table.id())));
            if (refusal.isPresent()) found.addAll(unreadable(table, refusal.get()));
            else found.addAll(snapshot.obstacles(table));
            found.addAll(ofCatalog(table, known));
            if (!found.isEmpty()) obstacles.put(table.id(), found);
        }
        return obstacles;
    }

    private List<Obstacle> unreadable(SourceTable table, SQLException refusal) throws SQLException {
        if (PostgresFaults.state(refusal).equals("55P03")) {
            return List.of(Obstacle.of(
                    Effect.NOTE, "it is locked just now, so whether all its rows can be read was not checked"));
        }
        if (!PostgresFaults.hidesRows(refusal)) {
            return List.of(Obstacle.of(Effect.WRONG, "it cannot be read: " + PostgresFaults.said(refusal)));
        }
        List<Obstacle> hiding = new ArrayList<>();
        for (Reader reader : readers(table)) {
            String name = PostgresNames.name(reader.role());
            List<String> statements = new ArrayList<>();
            statements.add("ALTER ROLE %s BYPASSRLS".formatted(name));
            reader.owner()
                    .ifPresent(owner -> statements.add("GRANT %s TO %s".formatted(PostgresNames.name(owner), name)));
            hiding.add(new Obstacle(
                    Effect.WRONG,
                    "row-level security hides rows from %s: %s; `rowSecurity: filtered` copies only the rows that %s sees"
                            .formatted(reader.role(), PostgresFaults.said(refusal), user()),
                    statements,
                    Optional.of(Fault.SOURCE_ROWS_HIDDEN)));
        }
        return hiding;
    }

    private List<Reader> readers(SourceTable table) throws SQLException {
        List<Reader> readers = new ArrayList<>();
        try (PreparedStatement statement = session.prepareStatement(READERS)) {
            statement.setString(1, table.id().schema());
            statement.setString(2, table.id().name());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    boolean isFunction = row.getBoolean(1);
                    if (isFunction && !readers.isEmpty()) break;
                    readers.add(new Reader(row.getString(2), Optional.ofNullable(row.getString(3))));
                }
            }
        }
        return readers.isEmpty() ? List.of(new Reader(user(), Optional.empty())) : readers;
    }

    private List<Obstacle> ofCatalog(SourceTable table, Facts known) {
        String name = PostgresNames.table(table.id());
        String user = PostgresNames.name(user());
        List<Obstacle> found = new ArrayList<>();
        if (!table.access().unreadable().isEmpty()) {
            found.add(Obstacle.of(
                    Effect.NOTE,
                    "%s may not read its columns %s, so the copy does not have them"
                            .formatted(
                                    user(),
                                    String.join(
                                            ", ", new TreeMap<>(table.access().unreadable()).values())),
                    "GRANT SELECT ON %s TO %s".formatted(name, user)));
        }
        if (known.isUnlogged()) {
            found.add(Obstacle.of(
                    Effect.NOTE,
                    "it is unlogged: a crash of the server empties it, and the copy then waits for a recovery",
                    "ALTER TABLE %s SET LOGGED".formatted(name)));
        }
        for (String sequence : known.hiddenSequences()) {
            found.add(Obstacle.of(
                    Effect.NOTE,
                    "%s may not read its sequence %s, so it is not noticed when the sequence is set back"
                            .formatted(user(), sequence),
                    "GRANT SELECT ON SEQUENCE %s TO %s".formatted(sequence, user)));
        }
        return found;
    }

    private Map<TableId, Facts> facts(List<SourceTable> tables) throws SQLException {
        Map<TableId, Facts> facts = new HashMap<>();
        try (PreparedStatement statement = session.prepareStatement(FACTS)) {
            statement.setArray(
                    1,
                    session.createArrayOf(
                            "text",
                            tables.stream().map(table -> table.id().schema()).toArray()));
            statement.setArray(
                    2,
                    session.createArrayOf(
                            "text",
                            tables.stream().map(table -> table.id().name()).toArray()));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    facts.put(
                            new TableId(row.getString(1), row.getString(2)),
                            new Facts(row.getBoolean(3), texts(row.getArray(4))));
                }
            }
        }
        return facts;
    }

    private String user() {
        return snapshot.horizon().server().user();
    }

    private static List<String> texts(Array array) throws SQLException {
        return List.of((String[]) array.getArray());
    }
}
