package dev.perigee.replication.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.TestHost;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/// A source that is away is one trouble, however many tables it holds up, with a real PostgreSQL behind a proxy.
class SourceTroubleTest {
    private static final List<String> NAMES = List.of("a", "b", "c");

    @TempDir
    Path folder;

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger("dev.perigee.replication");
    private TestPostgres postgres;
    private TcpProxy proxy;
    private PostgresSource source;

    @BeforeEach
    void start() {
        log.start();
        logger.addAppender(log);
        logger.setLevel(Level.INFO); // a command that ran here before may have made it quieter
        postgres = TestPostgres.create();
        NAMES.forEach(name -> postgres.execute(
                "CREATE TABLE %1$s (id int PRIMARY KEY); INSERT INTO %1$s VALUES (1)".formatted(name)));
        proxy = new TcpProxy(postgres.port());
        source = new PostgresSource(TestPostgres.config(proxy.port(), postgres.database()));
    }

    @AfterEach
    void stop() {
        logger.detachAppender(log);
        logger.setLevel(null);
        source.close();
        proxy.close();
        postgres.close();
    }

    @Test
    void an_outage_is_one_line_with_the_tables_it_holds_up_and_its_end_is_another() {
        TableConfig[] tables = NAMES.stream()
                .map(name -> TableConfig.of(name, "id", Duration.ofHours(1)))
                .toArray(TableConfig[]::new);
        // Retries that come by themselves would come after an hour.
        ReplicationConfig patient =
                new ReplicationConfig(List.of(tables), 2, 100, Duration.ofHours(1), Duration.ofHours(1));
        try (TestHost host = TestHost.started(folder, source, InstantSource.system(), patient)) {
            await().ignoreExceptions()
                    .until(() ->
                            NAMES.stream().allMatch(name -> rows(host, name).equals("1")));
            host.plugin.syncAllTables().join(); // the first syncs have ended, so that none is joined below
            assertThat(host.get("/status").result().has("source")).isFalse();

            proxy.failAfter(0, TcpProxy.Fault.CLOSE);
            assertThat(host.post("/sync", "").result().get("success").asBoolean())
                    .isFalse();
            JsonNode trouble = host.get("/status").result().get("source");
            assertThat(trouble.get("fault").asString()).isEqualTo("SOURCE_UNREACHABLE");
            assertThat(trouble.get("message").asString()).startsWith("SOURCE_UNREACHABLE in the source: ");
            assertThat(trouble.get("remedy").asString()).isNotEmpty();
            assertThat(trouble.get("since").asString()).isNotEmpty();
            assertThat(trouble.get("tables").values())
                    .extracting(JsonNode::asString)
                    .containsExactlyInAnyOrder("a", "b", "c");
            assertThat(logged("SOURCE_UNREACHABLE")).as(log.list.toString()).hasSize(1);

            proxy.heal();
            postgres.execute("INSERT INTO b VALUES (2); INSERT INTO c VALUES (2)");
            host.post("/sync", "{'tables': ['a']}").result();
            assertThat(host.get("/status").result().has("source")).isFalse();
            assertThat(logged("the source answers again after"))
                    .singleElement()
                    .asString()
                    .contains("3 tables had to wait: ");
            await().untilAsserted(() -> assertThat(rows(host, "b") + rows(host, "c"))
                    .as("the others do not wait for their next try")
                    .isEqualTo("22"));
        }
    }

    /// The server is there, and lets nobody in.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "55000 | ALTER DATABASE %1$s ALLOW_CONNECTIONS false | ALTER DATABASE %1$s ALLOW_CONNECTIONS true",
                "3D000 | ALTER DATABASE %1$s RENAME TO %1$s_away | ALTER DATABASE %1$s_away RENAME TO %1$s",
                "53300 | ALTER ROLE %1$s CONNECTION LIMIT 0 | ALTER ROLE %1$s CONNECTION LIMIT -1",
                "28000 | ALTER ROLE %1$s NOLOGIN | ALTER ROLE %1$s LOGIN",
                "42501 | REVOKE CONNECT ON DATABASE %1$s FROM PUBLIC | GRANT CONNECT ON DATABASE %1$s TO PUBLIC",
            })
    void a_login_that_is_refused_is_the_sources_trouble_and_told_once(String state, String before, String after)
            throws SQLException {
        String name = postgres.database();
        String ending =
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '%s'".formatted(name);
        postgres.execute("CREATE ROLE %1$s LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO %1$s".formatted(name));
        try (Connection server = DriverManager.getConnection(
                        "jdbc:postgresql://127.0.0.1:%d/postgres".formatted(postgres.port()), "postgres", "postgres");
                Statement admin = server.createStatement();
                PostgresSource role = new PostgresSource(postgres.configAs(name));
                TestHost host = TestHost.idle(
                        folder,
                        role,
                        NAMES.stream()
                                .map(table -> TableConfig.of(table, "id", Duration.ofHours(1)))
                                .toArray(TableConfig[]::new))) {
            assertThat(host.post("/sync", "").result().get("success").asBoolean())
                    .isTrue();
            admin.execute(ending); // a database in use cannot be renamed
            admin.execute(before.formatted(name));
            try {
                admin.execute(ending); // the next login is what is refused
                host.post("/sync", "").result(); // may find out only that its sessions have ended
                host.post("/sync", "").result();
                JsonNode trouble = host.get("/status").result().get("source");
                assertThat(trouble).as(host.get("/status").body().toString()).isNotNull();
                assertThat(trouble.get("message").asString()).contains("SQLSTATE " + state);
                assertThat(trouble.get("tables").values())
                        .extracting(JsonNode::asString)
                        .containsExactlyInAnyOrder("a", "b", "c");
                assertThat(logged("SOURCE_")).as(log.list.toString()).hasSize(1);
            } finally {
                admin.execute(after.formatted(name));
            }
            host.post("/sync", "").result();
            assertThat(host.get("/status").result().has("source")).isFalse();
            assertThat(logged("the source answers again after")).hasSize(1);
        } finally {
            postgres.execute("DROP OWNED BY %1$s; DROP ROLE %1$s".formatted(name));
        }
    }

    private List<String> logged(String text) {
        return Stream.of(log.list.toArray(ILoggingEvent[]::new))
                .map(ILoggingEvent::getFormattedMessage)
                .filter(message -> message.contains(text))
                .toList();
    }

    private static String rows(TestHost host, String table) {
        return host.value("SELECT count(*) FROM " + table);
    }
}
