package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.Scope;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.store.ChildJvm;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Rows fetched again, one, some or all, on a real PostgreSQL.
class BackfillTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private Source source;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
    }

    @AfterEach
    void stop() {
        source.close();
        postgres.close();
    }

    static TableConfig table(String name) {
        return TableConfig.of(name, "c", Duration.ofHours(1)).toBuilder()
                .pageRows(200)
                .build();
    }

    private void rows(int count) {
        postgres.execute("""
                CREATE TABLE t (id int PRIMARY KEY, c bigserial, v text);
                INSERT INTO t (id, v) SELECT i, 'v' || i FROM generate_series(1, %d) i; ANALYZE t""".formatted(count));
    }

    @Test
    void one_row_a_range_or_all_become_what_the_source_has_and_nothing_else_is_touched() throws SQLException {
        rows(30);
        try (TestHost host = TestHost.idle(folder, source, table("t"))) {
            sync(host);
            String spoil = """
                    UPDATE t SET v = 'wrong' WHERE id IN (5, 12, 25); DELETE FROM t WHERE id IN (6, 13, 26);
                    INSERT INTO t VALUES (-7, 1, 'extra'), (1000, 1, 'extra');
                    UPDATE t SET id = id + 2000 WHERE id IN (7, 14)""";
            postgres.execute("DELETE FROM t WHERE id IN (8, 15, 27)");
            host.execute(spoil);

            JsonNode one = backfill(host, "{'key': ['5']}");
            assertThat(one.get("state").asString()).isEqualTo("done");
            assertThat(one.get("updated").asInt()).isEqualTo(1);
            assertThat(backfill(host, "{'key': ['6']}").get("inserted").asInt()).isEqualTo(1);
            assertThat(backfill(host, "{'key': [8]}").get("deleted").asInt()).isEqualTo(1);
            assertThat(backfill(host, "{'key': ['8']}").get("deleted").asInt()).isZero();
            assertThat(host.value("SELECT group_concat(v) FROM t WHERE id IN (5, 6, 8, 12, 15)"))
                    .isEqualTo("v5,v6,wrong,v15");

            JsonNode range = backfill(host, "{'from': ['12'], 'to': ['15']}");
            assertThat(counts(range)).isEqualTo("2 inserted, 1 updated, 1 deleted, 0 unchanged");
            assertThat(host.value("SELECT group_concat(id) FROM t WHERE v = 'wrong' OR v = 'extra'"))
                    .isEqualTo("-7,25,1000");
            JsonNode below = backfill(host, "{'to': ['4']}");
            assertThat(counts(below)).isEqualTo("0 inserted, 0 updated, 1 deleted, 4 unchanged");

            JsonNode all = backfill(host, "{}");
            assertThat(counts(all)).isEqualTo("2 inserted, 1 updated, 4 deleted, 24 unchanged");
            assertThat(copy(host)).isEqualTo(source());
            assertThat(host.get("/status/t").result().has("backfill")).isFalse();
            assertThat(host.value(
                            "SELECT count(*) FROM tmp_replication_runs WHERE kind = 'backfill' AND outcome = 'ok'"))
                    .isEqualTo("7");
            assertThat(host.query("SELECT 1 FROM tmp_replication_backfill_missing"))
                    .isEmpty();
        }
    }

    /// The source's order of texts is not SQLite's, and a range of it takes from the copy only what lies in it there.
    @Test
    void a_range_of_texts_is_the_sources_range() throws SQLException {
        postgres.execute("""
                CREATE TABLE t (name text COLLATE "en-x-icu" PRIMARY KEY, c bigserial, v text);
                INSERT INTO t (name, v) SELECT name, '' FROM unnest(ARRAY['a', 'B', 'b', 'C', 'd', 'é', 'f']) name""");
        try (TestHost host = TestHost.idle(folder, source, table("t"))) {
            sync(host);
            host.execute(
                    "INSERT INTO t VALUES ('A2', 1, 'extra'), ('e', 1, 'extra'), ('E9', 1, 'extra'), ('Z', 1, 'x')");
            assertThat(backfill(host, "{'from': ['B'], 'to': ['éa']}")
                            .get("deleted")
                            .asInt())
                    .isEqualTo(2);
            assertThat(host.value("SELECT group_concat(name) FROM t WHERE v <> ''"))
                    .isEqualTo("A2,Z");
            assertThat(host.value("SELECT count(*) FROM t WHERE v = ''")).isEqualTo("7");
        }
    }

    /// The source takes both spellings for one key, and the copy has a row for each.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "text COLLATE ci | a | A | exact",
                "interval | 1 day | 24:00:00 | exact",
                "numeric | 1.5 | 1.50 | text",
                "numeric | 1.5 | 1.50 | exact",
                "jsonb | {\"a\":1.0} | {\"a\":1.00} | exact",
                "numrange | [1.0,2.0] | [1.00,2.0] | exact",
                "timestamptz | 2024-01-01 10:00:00+00 | 2024-01-01 11:00:00+01 | exact",
            })
    void a_key_that_is_spelled_otherwise_leaves_no_row_under_its_old_spelling(
            String type, String before, String after, String numeric) throws SQLException {
        postgres.execute("""
                CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                CREATE TABLE t (k %s PRIMARY KEY, c bigserial, v text);
                INSERT INTO t (k, v) VALUES ('%s', 'x')""".formatted(type, before));
        try (TestHost host = TestHost.idle(folder, source)) {
            host.post("/tables", "{'name':'t','cursorColumn':'c','numeric':'%s'}".formatted(numeric))
                    .result();
            sync(host);
            String stored = host.value("SELECT k FROM t");
            postgres.execute("UPDATE t SET k = '%s', c = DEFAULT".formatted(after));
            sync(host);
            JsonNode all = backfill(host, "{}");
            if (all.get("state").asString().equals("waiting")) backfill(host, "{'confirm': true}");
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("1");
            boolean isSame = numeric.equals("exact") && type.matches("numeric|timestamptz");
            if (isSame) assertThat(host.value("SELECT k FROM t")).isEqualTo(stored);
            else assertThat(host.value("SELECT k FROM t")).isNotEqualTo(stored);
        }
    }

    @Test
    void a_body_that_names_no_rows_is_refused_and_nothing_begins() {
        rows(3);
        try (TestHost host = TestHost.idle(folder, source, table("t"))) {
            sync(host);
            for (String body : List.of(
                    "{'key': ['x']}",
                    "{'key': ['1', '2']}",
                    "{'key': '1'}",
                    "{'key': ['1'], 'to': ['2']}",
                    "{'keys': []}",
                    "{'from': [null]}",
                    "{'confirm': false}",
                    "[]")) {
                assertThat(host.post("/tables/t/backfill", body).status())
                        .as(body)
                        .isEqualTo(400);
            }
            assertThat(host.query("SELECT 1 FROM tmp_replication_backfills")).isEmpty();
            assertThat(host.call("DELETE", "/tables/t/backfill", "").status()).isEqualTo(404);
        }
    }

    @Test
    void deleting_a_great_share_waits_until_it_is_confirmed_also_over_a_restart() throws SQLException {
        rows(3000);
        try (TestHost host = TestHost.idle(folder, source, table("t"))) {
            sync(host);
            postgres.execute("DELETE FROM t WHERE id % 2 = 0");
            var reply = host.post("/tables/t/backfill", "{}").result();
            assertThat(reply.get("success").asBoolean()).isFalse();
            assertThat(reply.get("backfill").get("state").asString()).isEqualTo("waiting");
            assertThat(reply.get("backfill").get("error").get("fault").asString())
                    .isEqualTo("MASS_DELETE");
            assertThat(reply.get("backfill").get("error").get("message").asString())
                    .contains("1500 of the 3000");
            assertThat(host.post("/tables/t/backfill", "{}").status()).isEqualTo(409);
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("3000");
        }
        try (TestHost host = TestHost.idle(folder, source, table("t"))) {
            host.plugin.start();
            assertThat(host.get("/status/t")
                            .result()
                            .get("backfill")
                            .get("state")
                            .asString())
                    .isEqualTo("waiting");
            postgres.execute("INSERT INTO t (id, v) VALUES (2, 'back again')");
            JsonNode confirmed = backfill(host, "{'confirm': true}");
            assertThat(confirmed.get("state").asString()).isEqualTo("done");
            assertThat(confirmed.get("deleted").asInt())
                    .as("a second look spares what is there")
                    .isEqualTo(1499);
            sync(host);
            assertThat(copy(host)).isEqualTo(source());
            assertThat(host.get("/status/t").result().get("rowCount").asInt()).isEqualTo(1501);
        }
    }

    /// Syncs have their turn between the steps, and a row that came with one of them is not made older again.
    @Test
    void with_writers_and_syncs_meanwhile_no_row_is_ever_older_than_before() throws Exception {
        rows(12_000);
        try (TestHost host = TestHost.idle(folder, source, table("t"))) {
            sync(host);
            host.execute("UPDATE t SET v = 'wrong' WHERE id % 3 = 0");
            postgres.execute("DELETE FROM t WHERE id % 1000 = 1");
            AtomicBoolean isOpen = new AtomicBoolean(true);
            CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
                Random random = new Random(7);
                while (isOpen.get()) {
                    int id = 1 + random.nextInt(12_000);
                    postgres.execute("UPDATE t SET v = 'w' || c, c = DEFAULT WHERE id = %d".formatted(id));
                    host.plugin.syncTable("t").join();
                }
            });
            JsonNode done = backfill(host, "{}");
            assertThat(done.get("state").asString()).isEqualTo("done");
            assertThat(done.get("deleted").asInt()).isEqualTo(12);
            isOpen.set(false);
            writer.join();
            assertThat(copy(host)).isEqualTo(source());
        }
    }

    @Test
    void a_backfill_is_cancelled_between_pages_and_says_how_far_it_was_until_then() {
        rows(12_000);
        try (GateSource gates = new GateSource(source, Scope.KeyChunk.class);
                TestHost host = TestHost.idle(folder, gates, table("t"))) {
            sync(host);
            gates.isHeld = true;
            gates.gate.release();
            host.post("/tables/t/backfill?wait=false", "{}").result();
            await().until(() -> gates.waiting.get() == 2);
            JsonNode status = host.get("/status/t").result().get("backfill");
            assertThat(status.get("phase").asString()).isEqualTo("fetching");
            assertThat(status.get("progress").get("rows").asInt()).isEqualTo(5_000);
            assertThat(status.get("progress").get("estimatedRows").asInt()).isEqualTo(12_000);
            assertThat(status.get("progress").has("etaMs")).isTrue();
            assertThat(host.call("DELETE", "/tables/t/backfill", "")
                            .result()
                            .get("backfill")
                            .get("state")
                            .asString())
                    .isEqualTo("cancelled");
            gates.gate.release(10);
            assertThat(host.plugin.syncTable("t").join().error())
                    .as("the table is free again")
                    .isEmpty();
            assertThat(host.value(
                            "SELECT outcome || ' ' || unchanged FROM tmp_replication_runs WHERE kind = 'backfill'"))
                    .isEqualTo("stopped 5000");
        }
    }

    @Test
    void a_source_that_breaks_off_is_asked_again_from_the_last_page() throws SQLException {
        rows(3000);
        try (GateSource gates = new GateSource(source, Scope.KeyChunk.class);
                TestHost host = TestHost.idle(folder, gates, table("t"))) {
            sync(host);
            host.execute("UPDATE t SET v = 'wrong'");
            gates.breakAfter = 2;
            host.post("/tables/t/backfill?wait=false", "{}").result();
            await().until(() -> gates.waiting.get() >= 2);
            gates.breakAfter = -1;
            await().until(() -> !host.get("/status/t").result().has("backfill"));
            assertThat(copy(host)).isEqualTo(source());
            assertThat(host.value(
                            "SELECT updated || ' ' || unchanged FROM tmp_replication_runs WHERE kind = 'backfill'"))
                    .as("no row twice")
                    .isEqualTo("3000 0");
        }
    }

    @Test
    void a_killed_process_goes_on_with_it_from_its_last_page() throws Exception {
        rows(20_000);
        try (TestHost host = TestHost.idle(folder, source, table("t"))) {
            sync(host);
            host.execute("UPDATE t SET v = 'wrong'; INSERT INTO t VALUES (-1, 1, 'extra')");
        }
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (ChildJvm child = new ChildJvm(
                BackfillForever.class, folder.toString(), Integer.toString(postgres.port()), postgres.database())) {
            int pages = 3 + random.nextInt(40);
            for (int i = 0; i < pages; ) if ("backfill".equals(Objects.requireNonNull(child.next("event:")))) i++;
            child.kill();
        }
        try (TestHost host = TestHost.idle(folder, source, table("t"))) {
            List<String> before = host.query("""
                            SELECT phase, rows_done, updated + unchanged, rows_done > 0, after_key IS NOT NULL
                            FROM tmp_replication_backfills""").getFirst();
            assertThat(before.subList(3, 5)).as("seed %d", seed).containsExactly("1", "1");
            assertThat(before.get(1))
                    .as("seed %d: rows and how far it is agree", seed)
                    .isEqualTo(before.get(2));
            assertThat(host.value("SELECT count(*) FROM t WHERE id > 0 AND v <> 'wrong'"))
                    .as("seed %d: they are in the copy", seed)
                    .isEqualTo(before.get(1));
            host.plugin.start();
            await().until(() -> !host.get("/status/t").result().has("backfill"));
            assertThat(copy(host)).isEqualTo(source());
            assertThat(host.value("""
                    SELECT outcome || ' ' || updated || ' ' || deleted FROM tmp_replication_runs WHERE kind = 'backfill'""")).as("seed %d: each row once", seed).isEqualTo("ok 20000 1");
        }
    }

    @Test
    void a_resync_says_what_is_new_changed_and_gone() {
        rows(100);
        try (TestHost host = TestHost.idle(folder, source, table("t"))) {
            sync(host);
            postgres.execute("""
                    DELETE FROM t WHERE id <= 10; UPDATE t SET v = 'other' WHERE id BETWEEN 11 AND 14;
                    INSERT INTO t (id, v) SELECT i, 'new' FROM generate_series(201, 203) i""");
            JsonNode result =
                    host.post("/tables/t/resync", "").result().get("results").get(0);
            assertThat(counts(result)).isEqualTo("3 inserted, 4 updated, 10 deleted, 86 unchanged");
            assertThat(host.get("/status/t").result().get("rowCount").asInt()).isEqualTo(93);
        }
    }

    @Test
    void a_first_load_that_was_interrupted_says_how_far_it_is_from_where_it_goes_on() {
        rows(25_000);
        try (GateSource gates = new GateSource(source, Scope.After.class)) {
            try (TestHost host = TestHost.idle(folder, gates, table("t"))) {
                gates.breakAfter = 20;
                assertThat(host.plugin.syncTable("t").join().error()).isPresent();
                gates.breakAfter = -1;
            }
            try (TestHost host = TestHost.idle(folder, gates, table("t"))) {
                gates.isHeld = true;
                gates.waiting.set(0);
                CompletableFuture<SyncResult> going = host.plugin.syncTable("t");
                await().until(() -> gates.waiting.get() == 1);
                JsonNode progress = host.get("/status/t").result().get("progress");
                assertThat(progress.get("rows").asInt()).isEqualTo(4000);
                assertThat(progress.get("estimatedRows").asInt()).isEqualTo(25_000);
                gates.gate.release();
                assertThat(going.join().inserted()).isEqualTo(21_000);
            }
        }
    }

    private static JsonNode backfill(TestHost host, String body) {
        return host.post("/tables/t/backfill", body).result().get("backfill");
    }

    private static void sync(TestHost host) {
        assertThat(host.plugin.syncTable("t").join().error()).isEmpty();
    }

    private static String counts(JsonNode counts) {
        return "%s inserted, %s updated, %s deleted, %s unchanged"
                .formatted(
                        counts.get("inserted"), counts.get("updated"), counts.get("deleted"), counts.get("unchanged"));
    }

    private List<List<String>> source() throws SQLException {
        List<List<String>> rows = new ArrayList<>();
        try (Connection connection = postgres.connect();
                ResultSet row = connection.createStatement().executeQuery("SELECT id, c, v FROM t ORDER BY id")) {
            while (row.next()) rows.add(List.of(row.getString(1), row.getString(2), row.getString(3)));
        }
        return rows;
    }

    private static List<List<String>> copy(TestHost host) {
        return host.query("SELECT id, c, v FROM t ORDER BY id");
    }
}
