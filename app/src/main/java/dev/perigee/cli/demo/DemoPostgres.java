package dev.perigee.cli.demo;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/// The demo's running PostgreSQL server, with the shop's database. Its data outlives the process.
final class DemoPostgres implements AutoCloseable {
    private static final String USER = "postgres";
    private static final String DATABASE = "shop";
    private static final String PASSWORD = "postgres-password";

    private final PostgresCluster cluster;
    private final int port;
    private final String password;

    private DemoPostgres(PostgresCluster cluster, int port, String password) {
        this.cluster = cluster;
        this.port = port;
        this.password = password;
    }

    /// Starts the server on the folder's data, which the first call creates. Returns once it accepts connections.
    static DemoPostgres start(DemoFolder folder) {
        PostgresCluster cluster = PostgresCluster.in(folder);
        if (cluster.exists()) {
            cluster.endWhatWasLeft();
        } else {
            cluster.make(USER, folder.secretFile(PASSWORD));
        }
        DemoPostgres server =
                new DemoPostgres(cluster, port(folder.path().resolve("postgres-port")), folder.secret(PASSWORD));
        cluster.start(server.port);
        try {
            server.createDatabase();
            return server;
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
    }

    /// As the server says it: `PostgreSQL 18.6`.
    String product() {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet version = statement.executeQuery("SHOW server_version")) {
            version.next();
            return "PostgreSQL " + version.getString(1).split(" ", 2)[0];
        } catch (SQLException e) {
            throw failed("asking for its version", e);
        }
    }

    /// How Perigee connects to the shop.
    SourceConfig source() {
        return new SourceConfig(
                "postgresql",
                "127.0.0.1",
                port,
                USER,
                password,
                DATABASE,
                "public",
                Map.of(),
                new SourceConfig.Limits(8, Duration.ofSeconds(10), Duration.ofSeconds(60)));
    }

    /// A connection to the shop; the caller closes it.
    Connection connect() throws SQLException {
        return connect(DATABASE);
    }

    /// Ends every connection and stops the server; the data stays.
    @Override
    public void close() {
        cluster.stop();
    }

    private Connection connect(String database) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", USER);
        properties.setProperty("password", password);
        properties.setProperty("ApplicationName", "perigee demo shop");
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:%d/%s".formatted(port, database), properties);
    }

    private void createDatabase() {
        try (Connection connection = connect("postgres");
                Statement statement = connection.createStatement()) {
            String question = "SELECT 1 FROM pg_database WHERE datname = '" + DATABASE + "'";
            try (ResultSet found = statement.executeQuery(question)) {
                if (found.next()) return;
            }
            statement.execute("CREATE DATABASE " + DATABASE);
        } catch (SQLException e) {
            throw failed("creating the database " + DATABASE, e);
        }
    }

    static RuntimeException failed(String what, SQLException cause) {
        return Fault.SOURCE_FAILED.in(
                "the demo's PostgreSQL", what + " failed: " + cause.getMessage(), "Nothing was changed", cause);
    }

    /// The port of the last run if it is still free, so that other clients find the server again.
    private static int port(Path remembered) {
        try {
            int port = freePort(lastPort(remembered))
                    .or(() -> freePort(0))
                    .orElseThrow(() -> new IOException("the loopback address has no free port"));
            Files.writeString(remembered, port + "\n");
            return port;
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in(remembered.toString(), "it cannot be used", "Nothing was started", e);
        }
    }

    private static int lastPort(Path remembered) {
        try {
            return Integer.parseInt(Files.readString(remembered).strip());
        } catch (IOException | NumberFormatException _) {
            return 0; // any
        }
    }

    private static Optional<Integer> freePort(int wanted) {
        try (ServerSocket socket = new ServerSocket(wanted, 1, InetAddress.getLoopbackAddress())) {
            return Optional.of(socket.getLocalPort());
        } catch (IOException | IllegalArgumentException _) {
            return Optional.empty();
        }
    }
}
