package dev.perigee.replication.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.GateSource;
import dev.perigee.replication.TestHost;
import dev.perigee.source.Scope;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Whoever asks for a run gets the answer of that run, with a real PostgreSQL.
class RequestedRunsTest {
    private static final int VERIFICATIONS = Integer.getInteger("perigee.test.verifications", 1000);

    @TempDir
    Path folder;

    private TestPostgres postgres;
    private Source source;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        postgres.execute("""
                CREATE TABLE t (k int PRIMARY KEY, c int NOT NULL, v int NOT NULL);
                INSERT INTO t SELECT i, i, 0 FROM generate_series(1, 20) i""");
        source = new PostgresSource(postgres.config());
    }

    @AfterEach
    void stop() {
        source.close();
        postgres.close();
    }

    private static TableConfig table() {
        return TableConfig.of("t", "c", Duration.ofHours(1));
    }

    @Test
    void verifications_in_a_row_each_have_their_own_verdict_while_differences_come_and_go() {
        try (TestHost host = TestHost.idle(folder, source, table())) {
            host.plugin.syncTable("t").join();
            for (int i = 0; i < VERIFICATIONS; i++) {
                boolean isPlanted = i % 2 == 1;
                host.execute("UPDATE t SET v = %d WHERE k = 7".formatted(isPlanted ? 1000 + i : 0));
                JsonNode started = host.post("/tables/t/verify?wait=false", "").result();
                JsonNode ended = ended(host, started);
                assertThat(ended.path("proof").path("verdict").asString(""))
                        .as("run %d: %s", i, ended)
                        .isEqualTo(isPlanted ? "different" : "equal");
                assertThat(ended.get("success").asBoolean()).isEqualTo(!isPlanted);
            }
        }
    }

    @Test
    void each_kind_of_run_that_goes_on_is_asked_for_by_the_id_of_its_request() {
        TableConfig swept = table().toBuilder()
                .deletes(new dev.perigee.config.Deletes.Sweep(Duration.ofHours(1)))
                .build();
        try (TestHost host = TestHost.idle(folder, source, swept)) {
            JsonNode synced = ended(host, host.post("/sync?wait=false", "").result());
            assertThat(synced.get("results").get(0).get("inserted").asInt()).isEqualTo(20);
            postgres.execute("DELETE FROM t WHERE k = 1");
            JsonNode sweep =
                    ended(host, host.post("/tables/t/sweep?wait=false", "").result());
            assertThat(sweep.get("sweep").get("deleted").asInt()).isEqualTo(1);
            host.execute("UPDATE t SET v = 9 WHERE k = 2");
            JsonNode backfill =
                    ended(host, host.post("/tables/t/backfill?wait=false", "").result());
            assertThat(backfill.get("backfill").get("updated").asInt()).isEqualTo(1);
            assertThat(backfill.get("backfill").get("state").asString()).isEqualTo("done");
            host.execute("UPDATE t SET v = 9 WHERE k IN (2, 3)");
            JsonNode recovered =
                    ended(host, host.post("/tables/t/recover?wait=false", "").result());
            assertThat(recovered.get("results").get(0).get("updated").asInt()).isEqualTo(2);
            host.execute("UPDATE t SET v = 9 WHERE k IN (2, 3, 4)");
            JsonNode resynced =
                    ended(host, host.post("/tables/t/resync?wait=false", "").result());
            assertThat(resynced.get("results").get(0).get("updated").asInt()).isEqualTo(3);
            assertThat(host.get("/requests/nothing").status()).isEqualTo(404);
            assertThat(host.post("/tables/t/verify?wait=maybe", "").status()).isEqualTo(400);
        }
    }

    @Test
    void a_resync_that_is_asked_for_while_another_reads_the_source_has_what_was_written_in_between() {
        GateSource gate = new GateSource(source, Scope.After.class);
        try (TestHost host = TestHost.idle(folder, gate, table())) {
            gate.isHeld = true;
            CompletableFuture<JsonNode> first = CompletableFuture.supplyAsync(
                    () -> host.post("/tables/t/resync", "").result());
            await().until(() -> gate.waiting.get() == 1); // its snapshot is taken
            postgres.execute("INSERT INTO t VALUES (1000, 5, 0)");
            JsonNode started = host.post("/tables/t/resync?wait=false", "").result();
            gate.gate.release(100);
            ended(host, started);
            first.join();
            assertThat(host.value("SELECT count(*) FROM t WHERE k = 1000")).isEqualTo("1");
        }
    }

    @Test
    void a_backfill_that_was_cancelled_leaves_the_next_one_alone() {
        GateSource gate = new GateSource(source, Scope.KeyChunk.class);
        try (TestHost host = TestHost.idle(folder, gate, table())) {
            host.plugin.syncTable("t").join();
            host.execute("""
                    CREATE TABLE told (run INTEGER, message TEXT);
                    CREATE TRIGGER tell AFTER UPDATE ON tmp_replication_backfills WHEN new.error_message IS NOT NULL
                    BEGIN INSERT INTO told VALUES (new.run, new.error_message); END""");
            gate.isHeld = true;
            JsonNode first = host.post("/tables/t/backfill?wait=false", "").result();
            await().until(() -> gate.waiting.get() == 1);
            assertThat(host.call("DELETE", "/tables/t/backfill", "")
                            .result()
                            .get("backfill")
                            .get("state")
                            .asString())
                    .isEqualTo("cancelled");
            JsonNode second = host.post("/tables/t/backfill?wait=false", "").result();
            gate.gate.release(1);
            await().until(() -> gate.waiting.get() == 2);
            gate.gate.release(100);
            assertThat(ended(host, second).get("backfill").get("state").asString())
                    .isEqualTo("done");
            assertThat(ended(host, first).get("backfill").get("state").asString())
                    .isEqualTo("cancelled");
            assertThat(host.query("SELECT * FROM told")).isEmpty();
            assertThat(host.get("/status/t").result().has("backfill")).isFalse();
        }
    }

    /// Asks until the run has ended, as the command line does.
    private static JsonNode ended(TestHost host, JsonNode started) {
        String path = "/requests/" + started.get("request").asString() + "?wait=true";
        while (true) {
            JsonNode answer = host.get(path).result();
            if (!answer.get("running").asBoolean()) return answer;
        }
    }
}
