package dev.perigee.source.postgres.log;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.LogSink;
import dev.perigee.source.LogTable;
import dev.perigee.source.SourceLog;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.session.PostgresLogin;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.PGConnection;
import org.postgresql.jdbc.PgConnection;

/// PostgreSQL's write-ahead log, by a logical replication slot and a publication that both have the follower's name.
///
/// The publication has exactly the tables that were added. The slot is of the plugin `pgoutput`. From PostgreSQL 17 on
/// it is a failover slot, which standbys with `sync_replication_slots` keep too.
public final class PostgresLog implements SourceLog {
    /// How long a slot that is to be dropped may still be in use: its reader may just be closing.
    private static final Duration DROP_WAIT = Duration.ofSeconds(10);

    private static final Duration DROP_LOOK = Duration.ofMillis(50);

    /// How long a server that accepted a connection for replication is not asked again.
    private static final Duration TRIED = Duration.ofMinutes(5);

    private static final int FAILOVER_SLOTS = 170_000;
    private static final int GENERATED = 180_000;

    private static final String STANDING = """
            SELECT coalesce(s.confirmed_flush_lsn, '0/0') - '0/0', pg_current_wal_lsn() - coalesce(s.restart_lsn, '0/0'),
                   s.plugin = 'pgoutput' AND s.database = current_database(), s.restart_lsn IS NULL,
                   coalesce(s.wal_status, ''), s.confirmed_flush_lsn IS NULL,
                   EXISTS (SELECT FROM pg_catalog.pg_publication p WHERE p.pubname = s.slot_name)
            FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = '%s'""";

    /// A transaction with a message, so that its commit has the log flushed, even where `synchronous_commit` is off for
    /// the role. The setting's new value is the message.
    private static final String FLUSH = """
            SELECT pg_logical_emit_message(true, 'perigee', set_config('synchronous_commit', 'local', true)) - '0/0'""";

    private static final String FOLLOWERS = """
            SELECT slot_name::text FROM pg_catalog.pg_replication_slots
            WHERE starts_with(slot_name::text, '%1$s') AND plugin = 'pgoutput' AND database = current_database()
          UNION
            SELECT pubname::text FROM pg_catalog.pg_publication WHERE starts_with(pubname::text, '%1$s')
            ORDER BY 1""";

    private final SourceConfig config;
    private final PostgresConnections connections;
    private volatile long triedUntilNanos = System.nanoTime();

    public PostgresLog(SourceConfig config, PostgresConnections connections) {
        this.config = config;
        this.connections = connections;
    }

    @Override
    public void require(LogTable wanted) {
        connections.read("table " + wanted.table(), session -> {
            new LogRequirements(session, wanted).check();
            return true;
        });
        // Whether the role may replicate, and whether a pooler is in between, is tried and not inferred.
        if (triedUntilNanos - System.nanoTime() > 0) return;
        history();
        triedUntilNanos = System.nanoTime() + TRIED.toNanos();
    }

    @Override
    public History history() {
        return new LogFaults(config, "").guard(() -> {
            PGConnection connection = PostgresLogin.replication(config);
            try (Connection session = (Connection) connection;
                    Statement statement = session.createStatement();
                    ResultSet row = statement.executeQuery("IDENTIFY_SYSTEM")) {
                row.next();
                return new History(row.getString("systemid"), row.getLong("timeline"));
            }
        });
    }

    @Override
    public Optional<Standing> standing(String name) {
        return connections.read(where(name), session -> {
            try (Statement statement = session.createStatement();
                    ResultSet row = statement.executeQuery(STANDING.formatted(literal(session, name)))) {
                return row.next() ? Optional.of(standing(name, row)) : Optional.empty();
            }
        });
    }

    private static Standing standing(String name, ResultSet row) throws SQLException {
        Optional<String> broken = Optional.empty();
        if (!row.getBoolean(3)) {
            broken = Optional.of("the replication slot %s belongs to something else".formatted(name));
        } else if (row.getBoolean(4) || row.getString(5).equals("lost")) {
            broken = Optional.of(
                    "the server has invalidated the replication slot %s, for example because it held more than `max_slot_wal_keep_size` of the log"
                            .formatted(name));
        } else if (row.getBoolean(6)) {
            broken = Optional.of("the replication slot %s is still being created".formatted(name));
        } else if (!row.getBoolean(7)) {
            broken = Optional.of("the publication %s was dropped".formatted(name));
        }
        return new Standing(
                row.getBigDecimal(1).longValue(),
                row.getBoolean(4) ? 0 : row.getBigDecimal(2).longValue(),
                broken);
    }

    @Override
    public List<String> names(String prefix) {
        return connections.read("the source's log", session -> {
            try (Statement statement = session.createStatement();
                    ResultSet row = statement.executeQuery(FOLLOWERS.formatted(literal(session, prefix)))) {
                List<String> names = new ArrayList<>();
                while (row.next()) names.add(row.getString(1));
                return names;
            }
        });
    }

    @Override
    public void create(String name) {
        connections.write("publication " + name, session -> {
            String there = "SELECT FROM pg_catalog.pg_publication WHERE pubname = '%s'";
            if (!isThere(session, there.formatted(literal(session, name)))) {
                String generated = version(session) >= GENERATED ? " WITH (publish_generated_columns = stored)" : "";
                execute(session, "CREATE PUBLICATION " + PostgresNames.name(name) + generated);
            }
            return true;
        });
        // A transaction, because its limit of time then ends the wait for other transactions at the server too.
        connections.read(
                where(name),
                session -> new LogFaults(config, name).guard(() -> {
                    if (isThere(session, slot(session, name))) return true;
                    String failover = version(session) >= FAILOVER_SLOTS ? ", failover => true" : "";
                    execute(
                            session,
                            "SELECT pg_create_logical_replication_slot('%s', 'pgoutput'%s)"
                                    .formatted(literal(session, name), failover));
                    return true;
                }));
    }

    @Override
    public void drop(String name) {
        long end = System.nanoTime() + DROP_WAIT.toNanos();
        while (!isDropped(name, System.nanoTime() - end > 0)) LockSupport.parkNanos(DROP_LOOK.toNanos());
        connections.write("publication " + name, session -> {
            execute(session, "DROP PUBLICATION IF EXISTS " + PostgresNames.name(name));
            return true;
        });
    }

    /// Drops the slot if it is there and not in use.
    ///
    /// @param isLast whether a slot in use is a fault now
    private boolean isDropped(String name, boolean isLast) {
        return connections.read(
                where(name),
                session -> new LogFaults(config, name).guard(() -> {
                    String there = slot(session, name) + " AND plugin = 'pgoutput' AND database = current_database()";
                    if (!isThere(session, there)) return true;
                    if (!isLast && isThere(session, there + " AND active")) return false;
                    execute(session, "SELECT pg_drop_replication_slot('%s')".formatted(literal(session, name)));
                    return true;
                }));
    }

    @Override
    public void add(String name, TableId table) {
        connections.write("table " + table, session -> {
            if (!isPublished(session, name, table)) {
                execute(
                        session,
                        "ALTER PUBLICATION %s ADD TABLE ONLY %s"
                                .formatted(PostgresNames.name(name), PostgresNames.table(table)));
            }
            return true;
        });
    }

    @Override
    public void remove(String name, TableId table) {
        connections.write("table " + table, session -> {
            if (isPublished(session, name, table)) {
                execute(
                        session,
                        "ALTER PUBLICATION %s DROP TABLE ONLY %s"
                                .formatted(PostgresNames.name(name), PostgresNames.table(table)));
            }
            return true;
        });
    }

    @Override
    public long flush() {
        return connections.ask("the source's log", session -> {
            try (Statement statement = session.createStatement();
                    ResultSet row = statement.executeQuery(FLUSH)) {
                row.next();
                return row.getBigDecimal(1).longValue();
            }
        });
    }

    @Override
    public Reader open(String name, LogSink sink) {
        LogPages pages = connections.read(where(name), LogPages::of);
        return new LogReader(
                LogStream.open(config, name, name, 0, new SinkChanges(new LogReadings(connections), sink)), pages);
    }

    private static String where(String name) {
        return "replication slot " + name;
    }

    private static String slot(PgConnection session, String name) throws SQLException {
        return "SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = '%s'".formatted(literal(session, name));
    }

    private static boolean isPublished(PgConnection session, String name, TableId table) throws SQLException {
        return isThere(
                session,
                "SELECT FROM pg_catalog.pg_publication_tables WHERE pubname = '%s' AND schemaname = '%s' AND tablename = '%s'"
                        .formatted(
                                literal(session, name),
                                literal(session, table.schema()),
                                literal(session, table.name())));
    }

    private static boolean isThere(PgConnection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.next();
        }
    }

    private static int version(PgConnection session) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery("SELECT current_setting('server_version_num')::int")) {
            row.next();
            return row.getInt(1);
        }
    }

    private static void execute(PgConnection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String literal(PgConnection session, String text) throws SQLException {
        return session.escapeLiteral(text);
    }
}
