package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.replication.LossySource.Mistake;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/// The verifier proves itself: syncs that make each of the mistakes that pollers make are caught, and a repair undoes
/// what they did.
class PlantedLossTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private LossySource source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        postgres.execute("""
                CREATE TABLE t (k int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), v text DEFAULT 'right');
                INSERT INTO t SELECT i, '2024-01-01Z' FROM generate_series(1, 50) i""");
        source = new LossySource(new PostgresSource(postgres.config()));
        host = TestHost.idle(folder, source);
    }

    @AfterEach
    void stop() {
        host.close();
        source.close();
        postgres.close();
    }

    @ParameterizedTest
    @EnumSource(
            value = Mistake.class,
            names = {"STRICT_PAGING", "ALTERED_VALUE", "CURSOR_FIRST"})
    void a_sync_that_loses_something_is_caught_and_repaired(Mistake mistake) {
        configure();
        source.mistake = mistake;
        postgres.execute("""
                INSERT INTO t VALUES (60, '2024-01-01Z', 'tie');
                INSERT INTO t SELECT i, '2024-01-02Z' FROM generate_series(61, 80) i""");
        sync();
        requireCaughtAndRepaired(mistake == Mistake.ALTERED_VALUE ? "different" : "missing");
    }

    @Test
    void a_sync_that_does_not_look_for_late_rows_is_caught_and_repaired() throws SQLException {
        configure();
        try (Connection late = postgres.connect();
                Statement statement = late.createStatement()) {
            late.setAutoCommit(false);
            statement.execute("INSERT INTO t VALUES (100)"); // takes its time now
            postgres.execute("INSERT INTO t VALUES (101, now() + interval '1 millisecond')");
            sync();
            late.commit();
        }
        source.mistake = Mistake.NO_LATE_ROWS;
        sync();
        requireCaughtAndRepaired("missing");
    }

    @Test
    void without_a_mistake_there_is_nothing_to_catch() throws SQLException {
        configure();
        try (Connection late = postgres.connect();
                Statement statement = late.createStatement()) {
            late.setAutoCommit(false);
            statement.execute("INSERT INTO t VALUES (100)");
            postgres.execute("INSERT INTO t VALUES (101, now() + interval '1 millisecond')");
            sync();
            late.commit();
        }
        assertThat(verify("{}").get("verdict").asString()).isEqualTo("equal");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("52");
    }

    private void requireCaughtAndRepaired(String what) {
        JsonNode caught = verify("{}");
        assertThat(caught.get("verdict").asString()).as(caught.toString()).isEqualTo("different");
        assertThat(caught.get(what).asLong()).as(caught.toString()).isEqualTo(1);
        assertThat(status().has("verified")).isFalse();
        JsonNode repaired = verify("{'repair': true}");
        assertThat(repaired.get("verdict").asString()).as(repaired.toString()).isEqualTo("repaired");
        JsonNode after = verify("{}");
        assertThat(after.get("verdict").asString()).as(after.toString()).isEqualTo("equal");
        assertThat(status().get("verified").get("verdict").asString()).isEqualTo("equal");
    }

    private JsonNode status() {
        return host.get("/status/t").result();
    }

    private JsonNode verify(String body) {
        return host.post("/tables/t/verify", body).result().get("proof");
    }

    private void configure() {
        host.post("/tables", "{'name': 't', 'cursorColumn': 'at', 'interval': '1h'}")
                .result();
        sync();
    }

    private void sync() {
        assertThat(host.plugin.syncTable("t").join().error()).isEmpty();
    }
}
