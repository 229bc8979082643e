package dev.perigee.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;

/// A PostgreSQL server whose files are in a folder that the test knows: it can be copied, put back to an older copy,
/// and followed by a standby. Its port stays the same over restarts.
public final class FolderServer implements AutoCloseable {
    private final Path folder;
    private final Map<String, String> settings;
    private EmbeddedPostgres server;

    private FolderServer(Path folder, int port, Map<String, String> settings) {
        this.folder = folder;
        this.settings = settings;
        this.server = started(port);
    }

    /// @param settings of the server, without blanks
    public static FolderServer start(Path folder, Map<String, String> settings) {
        return new FolderServer(folder, 0, settings);
    }

    public int port() {
        return server.getPort();
    }

    /// Copies its files, while it is stopped.
    public void copyTo(Path to) {
        restarted(() -> copy(folder, to));
    }

    /// Puts its files back to what they were at a copy.
    public void putBack(Path from) {
        restarted(() -> {
            run("rm", "-rf", folder.toString());
            copy(from, folder);
        });
    }

    /// A server that follows this one from now on, made of an online base backup as `pg_basebackup -R` makes it: this
    /// server keeps running and may be written to meanwhile.
    ///
    /// @see <a href="https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP">
    ///     PostgreSQL: making a base backup with the low-level API</a>
    public FolderServer standby(Path at) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_backup_start('standby', true)");
            BaseBackup.copy(folder, at);
            try (ResultSet stopped = statement.executeQuery("SELECT labelfile FROM pg_backup_stop()")) {
                stopped.next();
                Files.writeString(at.resolve("backup_label"), stopped.getString(1));
            }
            Files.createFile(at.resolve("standby.signal"));
            Files.writeString(
                    at.resolve("postgresql.auto.conf"),
                    "primary_conninfo = 'host=127.0.0.1 port=%d user=postgres'\n".formatted(port()));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new FolderServer(at, 0, Map.of("wal_retrieve_retry_interval", "100ms"));
    }

    public void execute(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /// The first cell as text.
    public String value(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return String.valueOf(row.getString(1));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    public Connection connect() throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:%d/postgres".formatted(port()), "postgres", "postgres");
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void restarted(Runnable meanwhile) {
        int port = port();
        close();
        meanwhile.run();
        server = started(port);
    }

    private EmbeddedPostgres started(int port) {
        try {
            EmbeddedPostgres.Builder builder =
                    TestPostgres.server().setDataDirectory(folder).setCleanDataDirectory(false);
            // A standby that was just made fetches the log since its base backup from here.
            builder.setServerConfig("wal_keep_size", "256MB");
            settings.forEach(builder::setServerConfig);
            if (port != 0) builder.setPort(port);
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path from, Path to) {
        run("cp", "-a", from.toString(), to.toString());
    }

    private static void run(String... command) {
        try {
            int exit = new ProcessBuilder(command)
                    .inheritIO()
                    .start()
                    .onExit()
                    .join()
                    .exitValue();
            if (exit != 0) throw new IllegalStateException(String.join(" ", command) + " ended with " + exit);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
