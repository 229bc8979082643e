package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.TableConfig;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import dev.perigee.testing.TransactionPooler;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A source behind a pooler that gives each transaction another session and invents process numbers.
class PoolerTest {
    private static final int SESSIONS = 4;

    @TempDir
    Path folder;

    private TestPostgres postgres;
    private TransactionPooler pooler;
    private PostgresSource source;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        pooler = new TransactionPooler(postgres.port(), SESSIONS);
        source = new PostgresSource(TestPostgres.config(pooler.port(), postgres.database()));
        postgres.execute("""
                CREATE TABLE t (id int PRIMARY KEY, v text, at timestamptz NOT NULL);
                CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.at := now(); RETURN NEW; END$$;
                CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stamp();
                INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 500) i""");
    }

    @AfterEach
    void stop() {
        source.close();
        pooler.close();
        postgres.close();
    }

    @Test
    void late_rows_are_found_and_the_copy_is_complete() throws SQLException {
        try (TestHost host = host();
                Connection late = postgres.connect();
                Statement writer = late.createStatement()) {
            late.setAutoCommit(false);
            writer.execute("INSERT INTO t VALUES (1001, 'late')");
            postgres.execute("INSERT INTO t VALUES (1002, 'on time'); UPDATE t SET v = 'changed' WHERE id = 7");
            sync(host);
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("501");
            late.commit();
            sync(host);
            sync(host);
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("502");
            assertThat(host.get("/status/t").result().path("guarantee").asString())
                    .isEqualTo("complete");
            assertThat(host.call("POST", "/tables/t/verify", "")
                            .result()
                            .at("/proof/verdict")
                            .asString())
                    .isEqualTo("equal");
        }
        assertThat(pooler.switches()).isPositive();
    }

    @Test
    void our_own_open_snapshot_holds_nothing_up_and_its_session_is_not_given_to_others() {
        source.snapshot(
                "outer",
                List.of(),
                outer -> source.snapshot("inner", List.of(), inner -> {
                    assertThat(inner.horizon().oldest()).isEmpty();
                    return assertThat(inner.moment().at())
                            .isAfterOrEqualTo(outer.moment().at());
                }));
        assertThat(source.probe().server().isPooled()).isTrue();
        assertThat(source.probe().obstacles()).isEmpty();
    }

    @Test
    void nothing_that_was_set_stays_in_the_poolers_sessions() throws SQLException {
        String ours = "jdbc:postgresql://127.0.0.1:%d/%s?application_name=perigee"
                .formatted(pooler.port(), postgres.database());
        TreeSet<String> before = settings(ours);
        try (TestHost host = host()) {
            sync(host);
        }
        assertThat(source.obstacles(source.discover())).isEmpty();
        assertThat(settings(ours)).isEqualTo(before).hasSize(1);
        assertThat(pooler.pools()).isEqualTo(1);
    }

    /// As each of the pooler's sessions has them: it hands them out in turn.
    private static TreeSet<String> settings(String url) throws SQLException {
        TreeSet<String> settings = new TreeSet<>();
        try (Connection connection = DriverManager.getConnection(url, "postgres", "postgres");
                Statement statement = connection.createStatement()) {
            for (int i = 0; i < 2 * SESSIONS; i++) {
                try (ResultSet row = statement.executeQuery("""
                        SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings
                        WHERE name IN ('statement_timeout', 'lock_timeout', 'row_security', 'search_path', 'TimeZone',
                            'DateStyle', 'IntervalStyle', 'default_transaction_isolation', 'transaction_read_only',
                            'bytea_output', 'quote_all_identifiers')""")) {
                    row.next();
                    settings.add(row.getString(1));
                }
            }
        }
        return settings;
    }

    private TestHost host() {
        TestHost host = TestHost.idle(folder, source, TableConfig.of("t", "at", Duration.ofHours(1)));
        sync(host);
        return host;
    }

    private static void sync(TestHost host) {
        JsonNode answer = host.call("POST", "/sync", "{'tables': ['t']}").result();
        assertThat(answer.path("success").asBoolean()).as(answer.toString()).isTrue();
    }
}
