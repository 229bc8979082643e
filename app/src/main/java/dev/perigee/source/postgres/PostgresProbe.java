package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Obstacle.Effect;
import dev.perigee.source.SourceReport;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.PostgresNames;
import dev.perigee.source.postgres.session.ServerProduct;
import dev.perigee.source.postgres.session.TransactionVisibility;
import java.sql.Array;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.postgresql.jdbc.PgConnection;

/// What one server answers one role, for `perigee doctor` and `GET /replication/source`. Snapshots use the same
/// answers, from [Capabilities] and [TransactionVisibility]. Only the names of hosting services are guessed.
final class PostgresProbe {
    /// The most tables of a schema that are named one by one. Where there are more, the GRANT is for the whole schema.
    private static final int MOST_NAMED = 10;

    private static final String ABOUT = """
            SELECT version(), pg_backend_pid(), current_setting('server_encoding'),
                   CASE WHEN current_setting('rds.extensions', true) IS NOT NULL THEN 'Amazon RDS'
                        WHEN current_setting('neon.timeline_id', true) IS NOT NULL THEN 'Neon'
                        WHEN current_setting('cloudsql.iam_authentication', true) IS NOT NULL THEN 'Cloud SQL'
                        WHEN current_setting('azure.extensions', true) IS NOT NULL THEN 'Azure Database'
                        WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'supabase_admin')
                            THEN 'Supabase' END""";

    private static final String NOT_GRANTED = """
            SELECT p.proname, p.oid::regprocedure::text
            FROM pg_catalog.pg_proc p
            WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY (?)
              AND NOT has_function_privilege(p.oid, 'EXECUTE')""";

    private static final String TABLES = """
            SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE') AS may_use,
                   array_agg(c.relname::text ORDER BY c.relname) FILTER (WHERE NOT r.is_readable),
                   count(*) FILTER (WHERE r.is_readable)
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            CROSS JOIN LATERAL (
                SELECT has_schema_privilege(n.oid, 'USAGE')
                       AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
                       AS is_readable) r
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND NOT c.relispartition
              AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
            GROUP BY n.oid, n.nspname HAVING bool_or(NOT r.is_readable) ORDER BY n.nspname""";

    /// A function or view that proofs need: its name, the expression to ask for, and what is lost without it. The loss
    /// is empty where [TransactionVisibility] reports it.
    private record Asked(String name, String expression, Optional<String> without) {}

    private PostgresProbe() {}

    static SourceReport report(PgConnection session, SourceConfig config, Capabilities can, PostgresSnapshot snapshot)
            throws SQLException {
        TransactionVisibility server = snapshot.horizon().server();
        Map<String, Boolean> answers = new LinkedHashMap<>();
        List<Asked> refused = new ArrayList<>();
        for (Asked asked : asked(server.isStandby())) {
            boolean isAnswered = can.answers(session, asked.expression());
            answers.put(asked.name(), isAnswered);
            if (!isAnswered && asked.without().isPresent()) refused.add(asked);
        }
        List<Obstacle> obstacles = new ArrayList<>(server.obstacles());
        obstacles.addAll(functions(session, refused, server.user()));
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(ABOUT)) {
            row.next();
            Optional<String> service = can.answers(session, "aurora_version()")
                    ? Optional.of("Amazon Aurora")
                    : Optional.ofNullable(row.getString(4));
            if (row.getString(3).equals("SQL_ASCII")) {
                obstacles.add(Obstacle.of(
                        Effect.NOTE, "its encoding is SQL_ASCII: rows with texts that are not UTF-8 are set aside"));
            }
            if (server.extensions().contains(TransactionVisibility.TIMESCALE)) {
                obstacles.add(Obstacle.of(
                        Effect.NOTE,
                        "it has TimescaleDB, with which Perigee was not tested; see docs/sources/postgresql.md"));
            }
            obstacles.addAll(unreadable(session, server.user()));
            String product = new ServerProduct(row.getString(1)).name();
            SourceReport.Server described = new SourceReport.Server(
                    product + service.map(" (%s)"::formatted).orElse(""),
                    config.place(),
                    server.user(),
                    server.isStandby(),
                    session.getBackendPID() != row.getInt(2),
                    server.extensions());
            return new SourceReport(described, answers, server.sight(), obstacles);
        }
    }

    private static List<Asked> asked(boolean isStandby) {
        Optional<String> position = Optional.of("the status does not show the position of its log");
        Optional<String> system = Optional.of("another server under the same address may not be noticed");
        Optional<String> timeline = Optional.of("a restore or a failover may not be noticed");
        return List.of(
                new Asked("pg_stat_activity", PostgresHorizon.SESSIONS_SHOWN, Optional.empty()),
                new Asked("pg_prepared_xacts", PostgresHorizon.PREPARED_SHOWN, Optional.empty()),
                isStandby
                        ? new Asked("pg_last_wal_replay_lsn", SnapshotTransaction.REPLAYED, position)
                        : new Asked("pg_current_wal_insert_lsn", SnapshotTransaction.INSERTED, position),
                new Asked("pg_control_system", PostgresIdentity.SYSTEM, system),
                isStandby
                        ? new Asked("pg_control_checkpoint", PostgresIdentity.OF_CONTROL, timeline)
                        : new Asked("pg_walfile_name", PostgresIdentity.OF_LOG, timeline));
    }

    private static List<Obstacle> functions(PgConnection session, List<Asked> refused, String user)
            throws SQLException {
        Map<String, String> notGranted = new HashMap<>();
        Array names =
                session.createArrayOf("text", refused.stream().map(Asked::name).toArray());
        try (PreparedStatement statement = session.prepareStatement(NOT_GRANTED)) {
            statement.setArray(1, names);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) notGranted.put(rows.getString(1), rows.getString(2));
            }
        }
        List<Obstacle> obstacles = new ArrayList<>();
        for (Asked asked : refused) {
            String what = "it refuses %s(), so %s"
                    .formatted(asked.name(), asked.without().orElseThrow());
            String function = notGranted.get(asked.name());
            obstacles.add(
                    function == null
                            ? Obstacle.of(Effect.NOTE, what)
                            : Obstacle.of(
                                    Effect.NOTE,
                                    what,
                                    "GRANT EXECUTE ON FUNCTION %s TO %s"
                                            .formatted(function, PostgresNames.name(user))));
        }
        return obstacles;
    }

    /// The tables that our user may not read, as one obstacle for each schema.
    private static List<Obstacle> unreadable(PgConnection session, String user) throws SQLException {
        List<Obstacle> obstacles = new ArrayList<>();
        try (Statement statement = session.createStatement();
                ResultSet rows = statement.executeQuery(TABLES)) {
            while (rows.next()) {
                String schema = rows.getString(1);
                List<String> tables = List.of((String[]) rows.getArray(3).getArray());
                boolean isNamed = rows.getLong(4) > 0 && tables.size() <= MOST_NAMED;
                String on = isNamed
                        ? tables.stream()
                                .map(table -> PostgresNames.name(schema) + "." + PostgresNames.name(table))
                                .collect(Collectors.joining(", "))
                        : "ALL TABLES IN SCHEMA " + PostgresNames.name(schema);
                String usage = rows.getBoolean(2)
                        ? ""
                        : "GRANT USAGE ON SCHEMA %s TO %s; "
                                .formatted(PostgresNames.name(schema), PostgresNames.name(user));
                obstacles.add(Obstacle.of(
                        Effect.NOTE,
                        "%s may not read %d %s of schema %s: %s%s"
                                .formatted(
                                        user,
                                        tables.size(),
                                        tables.size() == 1 ? "table" : "tables",
                                        schema,
                                        String.join(", ", tables.subList(0, Math.min(MOST_NAMED, tables.size()))),
                                        tables.size() > MOST_NAMED ? ", …" : ""),
                        "%sGRANT SELECT ON %s TO %s".formatted(usage, on, PostgresNames.name(user))));
            }
        }
        return obstacles;
    }
}
