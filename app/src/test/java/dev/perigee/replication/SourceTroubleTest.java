package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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
            assertThat(logged("the source answers again"))
                    .singleElement()
                    .asString()
                    .contains("it held up 3 tables: ");
            await().untilAsserted(() -> assertThat(rows(host, "b") + rows(host, "c"))
                    .as("the others do not wait for their next try")
                    .isEqualTo("22"));
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
