package dev.perigee.hazards;

import dev.perigee.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/// The PostgreSQL a hazard is played on: a database of its own, on a server of its own where that is stopped.
final class HazardServer implements AutoCloseable {
    private final Path folder;
    private TestPostgres shared;
    private EmbeddedPostgres own;

    HazardServer(Path folder, boolean isOwn) throws IOException {
        this.folder = folder;
        if (isOwn) own = start(0);
        else shared = TestPostgres.create();
    }

    int port() {
        return own == null ? shared.port() : own.getPort();
    }

    String database() {
        return own == null ? shared.database() : "postgres";
    }

    Connection connect() throws SQLException {
        return connect(database());
    }

    /// Lets nobody in, and throws out everybody but writers; or lets all in again.
    void letIn(boolean isOpen) throws SQLException {
        // A session that has not quite ended in the template would keep others from making databases.
        try (Connection other = connect(own == null ? "postgres" : "template1");
                Statement statement = other.createStatement()) {
            statement.execute("ALTER DATABASE %s ALLOW_CONNECTIONS %s".formatted(database(), isOpen));
            if (isOpen) return;
            statement.execute("""
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = '%s' AND application_name <> 'writer'""".formatted(database()));
        }
    }

    private Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:%d/%s?ApplicationName=writer".formatted(port(), database),
                "postgres",
                "postgres");
    }

    /// Ends the server as a crash does, without a checkpoint, and starts it again at the same port.
    void crash() throws IOException {
        int port = own.getPort();
        String pid = Files.readAllLines(folder.resolve("postmaster.pid")).getFirst();
        ProcessHandle postmaster = ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
        new ProcessBuilder("kill", "-QUIT", pid).start().onExit().join();
        postmaster.onExit().join();
        own.close();
        own = start(port);
    }

    private EmbeddedPostgres start(int port) throws IOException {
        return TestPostgres.server()
                .setDataDirectory(folder)
                .setCleanDataDirectory(false)
                .setPort(port)
                .setServerConfig("synchronous_commit", "on") // what was committed is there after a crash
                .start();
    }

    @Override
    public void close() throws IOException {
        if (own == null) shared.close();
        else own.close();
    }
}
