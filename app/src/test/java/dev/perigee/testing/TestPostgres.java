package dev.perigee.testing;

import dev.perigee.config.SourceConfig;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/// A real PostgreSQL for tests: one server for the whole test run, a database of its own for each caller.
public final class TestPostgres implements AutoCloseable {
    private static final Duration DROP_LIMIT = Duration.ofMinutes(1);

    /// A busy machine takes longer than the ten seconds that are usual.
    private static final Duration START_LIMIT = Duration.ofMinutes(1);

    private static final AtomicInteger DATABASES = new AtomicInteger();

    private final String database;

    private TestPostgres(String database) {
        this.database = database;
    }

    /// A new, empty database on the shared server.
    public static TestPostgres create() {
        return create("");
    }

    /// @param options of `CREATE DATABASE`
    public static TestPostgres create(String options) {
        String name = "test_" + DATABASES.incrementAndGet();
        // The other way writes all of the template's pages to the log too, which takes twice as long.
        execute("postgres", "CREATE DATABASE %s STRATEGY file_copy %s".formatted(name, options));
        return new TestPostgres(name);
    }

    /// A server of the caller's own, for tests that stop, restart or configure it. The caller closes it.
    public static EmbeddedPostgres.Builder server() {
        return EmbeddedPostgres.builder()
                .setPGStartupWait(START_LIMIT)
                .setServerConfig("fsync", "off")
                .setServerConfig("max_connections", "200")
                .setServerConfig("wal_level", "logical")
                .setServerConfig("max_prepared_transactions", "20");
    }

    public String database() {
        return database;
    }

    public int port() {
        return Shared.SERVER.getPort();
    }

    /// How Perigee reaches this database.
    public SourceConfig config() {
        return config(port(), database);
    }

    /// How Perigee reaches this database as another role, which needs no password here.
    public SourceConfig configAs(String role) {
        SourceConfig config = config();
        return new SourceConfig(
                config.type(),
                config.host(),
                config.port(),
                role,
                "",
                config.database(),
                config.defaultSchema(),
                config.options(),
                new SourceConfig.Limits(
                        config.limits().maxConnections(),
                        config.limits().connectTimeout(),
                        config.limits().statementTimeout()));
    }

    /// How Perigee reaches a database of an embedded server.
    public static SourceConfig config(int port, String database) {
        return new SourceConfig(
                "postgresql",
                "127.0.0.1",
                port,
                "postgres",
                "postgres",
                database,
                "public",
                Map.of(),
                new SourceConfig.Limits(8, Duration.ofSeconds(10), Duration.ofSeconds(60)));
    }

    public Connection connect() throws SQLException {
        return connect(database);
    }

    /// Runs statements separated by semicolons, autocommitted together as the server does.
    public void execute(String sql) {
        execute(database, sql);
    }

    /// Drops the database. The server gives up after five seconds where a session has not ended by then, which on a
    /// busy machine happens; so it is asked again.
    @Override
    public void close() {
        String drop = "DROP DATABASE IF EXISTS " + database + " WITH (FORCE)";
        long end = System.nanoTime() + DROP_LIMIT.toNanos();
        while (true) {
            try (Connection connection = connect("postgres");
                    Statement statement = connection.createStatement()) {
                statement.execute(drop);
                return;
            } catch (SQLException e) {
                boolean isInUse = "55006".equals(e.getSQLState());
                if (!isInUse || System.nanoTime() - end > 0) throw new IllegalStateException(e);
            }
        }
    }

    private static Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:%d/%s".formatted(Shared.SERVER.getPort(), database),
                "postgres",
                "postgres");
    }

    private static void execute(String database, String sql) {
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final class Shared {
        static final EmbeddedPostgres SERVER = start();

        private static EmbeddedPostgres start() {
            try {
                EmbeddedPostgres server = server().start();
                Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                    try {
                        server.close();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }));
                return server;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
