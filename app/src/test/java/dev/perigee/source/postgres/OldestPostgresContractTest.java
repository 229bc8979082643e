package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.source.LogTable;
import dev.perigee.source.Source;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceContractTest;
import dev.perigee.source.SourceLog;
import dev.perigee.source.SourceTable;
import dev.perigee.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// PostgreSQL 13, the oldest we promise, keeps the contract too. Where the build has no binaries of it for this
/// platform, the tests are skipped.
class OldestPostgresContractTest extends SourceContractTest {
    private static final Path BINARIES = Path.of("target", "oldest-postgres.jar");

    private static EmbeddedPostgres server;

    @BeforeAll
    static void start() throws IOException {
        Assumptions.assumeTrue(Files.exists(BINARIES), "no binaries of PostgreSQL 13 for this platform");
        server = TestPostgres.server().setPgBinaryResolver((_, _) -> binaries()).start();
    }

    @AfterAll
    static void stop() throws IOException {
        if (server != null) server.close();
    }

    @Test
    void it_is_that_old() {
        try (Source source = open()) {
            assertThat(source.info().product()).startsWith("PostgreSQL 13.");
        }
    }

    @Test
    void types_are_known_and_sizes_that_nobody_counted_are_not_zero() {
        execute("DROP TABLE IF EXISTS aaa");
        execute("CREATE TABLE aaa (id int PRIMARY KEY, a int4range, b int[], c jsonb, d varchar(3))");
        try (Source source = open()) {
            assertThat(source.describe("aaa").columns())
                    .extracting(SourceColumn::isOrdered)
                    .containsOnly(true);
            assertThat(source.describe("aaa").estimate().rows()).isEqualTo(-1);
        }
    }

    @Test
    void what_decides_which_rows_are_seen_is_known_there_too() {
        execute("DROP TABLE IF EXISTS seen; CREATE TABLE seen (id int PRIMARY KEY)");
        try (Source source = open()) {
            SourceTable filtered =
                    source.describe(TableConfig.of("seen", TableConfig.Mode.FULL, Duration.ofHours(1)).toBuilder()
                            .rowSecurity(TableConfig.RowSecurity.FILTERED)
                            .build());
            Optional<String> before = sight(source, filtered);
            assertThat(before).isPresent().isEqualTo(sight(source, filtered));
            execute("CREATE POLICY all_rows ON seen USING (true)");
            assertThat(sight(source, filtered)).isPresent().isNotEqualTo(before);
        }
    }

    @Test
    void its_log_is_read_there_too() throws SQLException {
        execute("DROP TABLE IF EXISTS logged; CREATE TABLE logged (id int PRIMARY KEY, v numeric)");
        try (Source source = open()) {
            SourceLog log = source.log().orElseThrow();
            long number = number("SELECT 'logged'::regclass::oid");
            LogTable wanted = PostgresLogTest.wanted(source, "logged", number);
            log.require(wanted);
            log.create("oldest");
            log.add("oldest", wanted.table());
            execute("INSERT INTO logged VALUES (1, 1.50)");
            execute("UPDATE logged SET id = 2; DELETE FROM logged");
            PostgresLogTest.Recorder recorder = new PostgresLogTest.Recorder(Map.of(number, wanted));
            try (SourceLog.Reader reader = log.open("oldest", recorder)) {
                await().until(() -> {
                    reader.readPending();
                    return recorder.told.contains("logged - 2,null");
                });
            }
            assertThat(recorder.told)
                    .startsWith(
                            "logged + 1,Real[value=1.5]", "commit", "logged - 1,null", "logged + 2,Real[value=1.5]");
            log.drop("oldest");
            assertThat(log.standing("oldest")).isEmpty();
        }
    }

    private static long number(String sql) throws SQLException {
        try (Connection c = server.getPostgresDatabase().getConnection();
                Statement statement = c.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static Optional<String> sight(Source source, SourceTable table) {
        return source.snapshot(
                "seen",
                List.of(table.id()),
                snapshot -> snapshot.identity(table).orElseThrow().sight());
    }

    @Override
    protected Source open() {
        return new PostgresSource(TestPostgres.config(server.getPort(), "postgres"));
    }

    @Override
    protected Source unreachable() {
        SourceConfig c = TestPostgres.config(1, "postgres"); // nobody listens there but a superuser's choice
        return new PostgresSource(new SourceConfig(
                c.type(),
                c.host(),
                c.port(),
                c.user(),
                c.password(),
                c.database(),
                c.defaultSchema(),
                c.options(),
                new SourceConfig.Limits(2, Duration.ofSeconds(5), c.limits().statementTimeout())));
    }

    @Override
    protected void execute(String sql) {
        try (Connection c = server.getPostgresDatabase().getConnection();
                Statement statement = c.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    protected String product() {
        return "PostgreSQL";
    }

    @Override
    protected List<String> secrets() {
        return List.of("postgres@");
    }

    private static InputStream binaries() throws IOException {
        // Its parent is none, or the newer binaries on the class path would be found first.
        try (URLClassLoader jar = new URLClassLoader(new URL[] {BINARIES.toUri().toURL()}, null);
                InputStream in = jar.getResourceAsStream("postgres-linux-x86_64.txz")) {
            if (in == null) throw new IOException("no binaries in " + BINARIES);
            return new ByteArrayInputStream(in.readAllBytes());
        }
    }
}
