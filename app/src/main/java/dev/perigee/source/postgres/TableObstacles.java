package dev.perigee.source.postgres;

import dev.perigee.fault.Fault;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Obstacle.Effect;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
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

/// What stands in the way of copying tables. Whether rows can be read, and all of them, is tried as a sync would read
/// them, for no row; what nobody refuses is read from the catalog.
record TableObstacles(PgConnection session, PostgresSnapshot snapshot) {
    /// A table that somebody has locked is not waited for much longer.
    private static final String LOCK_LIMIT = "SET LOCAL lock_timeout = '2s'";

    private static final String FACTS = """
            SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner) AS owner, c.relforcerowsecurity AS is_forced,
                   (SELECT o.rolsuper FROM pg_catalog.pg_roles o WHERE o.oid = c.relowner) AS is_owner_super,
                   c.relpersistence = 'u' AS is_unlogged,
                   c.relkind = 'v' AND NOT coalesce((
                       SELECT option_value::bool FROM pg_options_to_table(c.reloptions)
                       WHERE option_name = 'security_invoker'), false) AS asks_as_owner,
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

    private record Facts(
            String owner,
            boolean isForced,
            boolean isOwnerSuper,
            boolean isUnlogged,
            boolean asksAsOwner,
            List<String> hiddenSequences) {}

    Map<TableId, List<Obstacle>> of(List<SourceTable> tables) throws SQLException {
        Map<TableId, Facts> facts = facts(tables);
        try (Statement statement = session.createStatement()) {
            statement.execute(LOCK_LIMIT);
        }
        Map<TableId, List<Obstacle>> obstacles = new HashMap<>();
        for (SourceTable table : tables) {
            Facts known = facts.get(table.id());
            if (known == null) continue; // dropped since
            List<Obstacle> found = new ArrayList<>();
            Optional<SQLException> refusal =
                    Capabilities.refusal(session, "SELECT FROM %s LIMIT 0".formatted(Quoted.table(table.id())));
            if (refusal.isPresent()) found.add(unreadable(table, known, refusal.get()));
            else found.addAll(snapshot.obstacles(table));
            found.addAll(ofCatalog(table, known));
            if (!found.isEmpty()) obstacles.put(table.id(), found);
        }
        return obstacles;
    }

    private Obstacle unreadable(SourceTable table, Facts known, SQLException refusal) {
        if (PostgresFaults.state(refusal).equals("55P03")) {
            return Obstacle.of(Effect.NOTE, "it is locked just now, so nobody looked whether all its rows can be read");
        }
        if (!PostgresFaults.hidesRows(refusal)) {
            return Obstacle.of(Effect.WRONG, "it cannot be read: " + PostgresFaults.said(refusal));
        }
        // What a view reads is asked for as its owner, unless it says otherwise.
        String reader = known.asksAsOwner() ? known.owner() : user();
        List<String> statements = new ArrayList<>();
        statements.add("ALTER ROLE %s BYPASSRLS".formatted(Quoted.name(reader)));
        // Nobody should be made a superuser for reading.
        boolean mayOwn = table.kind() != SourceTable.Kind.VIEW && !known.isForced() && !known.isOwnerSuper();
        if (mayOwn) statements.add("GRANT %s TO %s".formatted(Quoted.name(known.owner()), Quoted.name(reader)));
        return new Obstacle(
                Effect.WRONG,
                "row-level security hides rows from %s: %s; `rowSecurity: filtered` copies those that %s sees"
                        .formatted(reader, PostgresFaults.said(refusal), user()),
                statements,
                Optional.of(Fault.SOURCE_ROWS_HIDDEN));
    }

    private List<Obstacle> ofCatalog(SourceTable table, Facts known) {
        String name = Quoted.table(table.id());
        String user = Quoted.name(user());
        List<Obstacle> found = new ArrayList<>();
        if (!table.unreadable().isEmpty()) {
            found.add(Obstacle.of(
                    Effect.NOTE,
                    "%s may not read its columns %s, so the copy does not have them"
                            .formatted(user(), String.join(", ", new TreeMap<>(table.unreadable()).values())),
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
                    "%s may not read its sequence %s, so one that is set back is not noticed"
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
                            new Facts(
                                    row.getString(3),
                                    row.getBoolean(4),
                                    row.getBoolean(5),
                                    row.getBoolean(6),
                                    row.getBoolean(7),
                                    texts(row.getArray(8))));
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
