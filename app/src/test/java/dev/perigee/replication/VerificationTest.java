package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// What a verification finds and repairs, with a real PostgreSQL and planted errors.
class VerificationTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private PostgresSource source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
        host = TestHost.idle(folder, source);
    }

    @AfterEach
    void stop() {
        host.close();
        source.close();
        postgres.close();
    }

    /// One wrong value, one missing and one extra row among many, in tables with each kind of key.
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            k bigint PRIMARY KEY          | i
            k text PRIMARY KEY            | md5(i::text)
            k numeric PRIMARY KEY         | i / 4.0
            k timestamptz PRIMARY KEY     | '0044-03-15 BC'::timestamptz + i * interval '1 day'
            a text COLLATE "en-x-icu", b int, PRIMARY KEY (a, b) | chr(96 + i % 7), i
            """)
    void one_wrong_one_missing_and_one_extra_row_are_found_and_repaired(String key, String values) {
        postgres.execute("""
                CREATE TABLE t (c int NOT NULL, v text, n numeric(9,2), %s);
                INSERT INTO t SELECT i, nullif('v' || i, 'v9'), i / 3.0, %s FROM generate_series(1, 4000) i
                """.formatted(key, values));
        post("/tables", "{'name': 't', 'cursorColumn': 'c', 'interval': '1h'}");
        JsonNode clean = verify("{}");
        assertThat(clean.get("verdict").asString()).as(clean.toString()).isEqualTo("equal");
        assertThat(counts(clean)).isEqualTo("4000 rows: 0 missing, 0 different, 0 extra, 0 repaired");

        host.execute("""
                UPDATE t SET v = '' WHERE c = 9;
                DELETE FROM t WHERE c = 4000;
                UPDATE tmp_replication_state SET row_count = row_count - 1""");
        postgres.execute("DELETE FROM t WHERE c = 1");
        JsonNode found = verify("{}");
        assertThat(found.get("verdict").asString()).isEqualTo("different");
        assertThat(counts(found)).isEqualTo("3999 rows: 1 missing, 1 different, 1 extra, 0 repaired");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("3999");

        JsonNode repaired = verify("{'repair': true}");
        assertThat(repaired.get("verdict").asString()).isEqualTo("repaired");
        assertThat(counts(repaired)).isEqualTo("3999 rows: 1 missing, 1 different, 1 extra, 3 repaired");
        JsonNode after = verify("{}");
        assertThat(after.get("verdict").asString()).isEqualTo("equal");
        assertThat(after.get("digest")).isEqualTo(repaired.get("digest")).isNotEqualTo(clean.get("digest"));
        assertThat(host.get("/status/t").result().get("rowCount").asLong()).isEqualTo(3999);
    }

    @Test
    void a_repair_that_would_remove_a_great_share_asks_first() {
        postgres.execute("""
                CREATE TABLE t (k int PRIMARY KEY, c int NOT NULL);
                INSERT INTO t SELECT i, i FROM generate_series(1, 3000) i""");
        post("/tables", "{'name': 't', 'cursorColumn': 'c', 'interval': '1h'}");
        host.plugin.syncTable("t").join();
        postgres.execute("DELETE FROM t WHERE k <= 1500");
        JsonNode refused = verify("{'repair': true}");
        assertThat(refused.get("verdict").asString()).isEqualTo("different");
        assertThat(refused.get("error").get("message").asString()).contains("1500 of its 3000 rows", "confirm");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("3000");
        JsonNode confirmed = verify("{'repair': true, 'confirm': true}");
        assertThat(confirmed.get("verdict").asString()).isEqualTo("repaired");
        assertThat(confirmed.get("extra").asLong()).isEqualTo(1500);
        assertThat(host.value("SELECT count(*) || ' ' || min(k) FROM t")).isEqualTo("1500 1501");
        assertThat(host.value("SELECT row_count FROM tmp_replication_state")).isEqualTo("1500");
    }

    @ParameterizedTest
    @ValueSource(strings = {"int", "text"})
    void a_row_that_the_source_marks_as_deleted_is_not_missed_and_not_kept(String type) {
        postgres.execute("""
                CREATE TABLE t (k %s PRIMARY KEY, c int NOT NULL, gone bool);
                INSERT INTO t SELECT i, i, i %% 10 = 0 FROM generate_series(1, 100) i""".formatted(type));
        post("/tables", "{'name': 't', 'cursorColumn': 'c', 'interval': '1h', 'deletes': 'soft(gone)'}");
        JsonNode clean = verify("{}");
        assertThat(clean.get("verdict").asString()).as(clean.toString()).isEqualTo("equal");
        host.execute("INSERT INTO t VALUES (50, 50, 1)");
        assertThat(counts(verify("{}"))).contains("0 missing, 0 different, 1 extra");
        JsonNode repaired = verify("{'repair': true}");
        assertThat(repaired.get("verdict").asString()).isEqualTo("repaired");
        assertThat(repaired.get("digest")).isEqualTo(clean.get("digest"));
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("90");
    }

    @Test
    void a_difference_that_was_found_and_left_is_in_the_guarantee_until_it_is_mended_and_rows_are_counted_anew() {
        postgres.execute("""
                CREATE TABLE t (k int PRIMARY KEY, c int NOT NULL);
                INSERT INTO t SELECT i, i FROM generate_series(1, 100) i""");
        post("/tables", "{'name': 't', 'cursorColumn': 'c', 'interval': '1h'}");
        host.plugin.syncTable("t").join();
        host.execute("UPDATE t SET c = -1 WHERE k = 5; DELETE FROM t WHERE k = 7");
        assertThat(status("guarantee")).isEqualTo("settled(10s)");
        verify("{}");
        assertThat(status("guarantee")).isEqualTo("different(2)");
        assertThat(host.exposed())
                .contains(
                        "perigee_replication_attention{about=\"different\",table=\"t\"} 1",
                        "perigee_replication_guarantee{guarantee=\"different\",table=\"t\"} 1",
                        "perigee_replication_failing{table=\"t\"} 0",
                        "perigee_replica_writable 1");
        verify("{'repair': true}");
        assertThat(status("guarantee")).startsWith("verified(");
        assertThat(status("rowCount")).isEqualTo("100");
    }

    @Test
    void words_that_mean_nothing_are_refused_before_anything_is_done() {
        postgres.execute("CREATE TABLE t (k int PRIMARY KEY, c int NOT NULL); INSERT INTO t VALUES (1, 1)");
        post("/tables", "{'name': 't', 'cursorColumn': 'c', 'interval': '1h'}");
        for (String path : new String[] {"resync", "recover", "set-aside/retry"}) {
            assertThat(host.post("/tables/t/" + path, "{'bogus': 1}").status())
                    .as(path)
                    .isEqualTo(400);
        }
        assertThat(host.post("/tables/t/verify", "{'repair': 'yes'}").error()).contains("`repair`");
    }

    private String status(String field) {
        return host.get("/status/t").result().get(field).asString();
    }

    @Test
    void a_verification_that_comes_to_no_end_says_so_and_takes_nothing_back() {
        postgres.execute("CREATE TABLE t (k int PRIMARY KEY, c int NOT NULL); INSERT INTO t VALUES (1, 1)");
        post("/tables", "{'name': 't', 'cursorColumn': 'c', 'interval': '1h'}");
        assertThat(host.get("/proof/t").result().get("verdict").asString()).isEqualTo("none");
        assertThat(verify("{}").get("verdict").asString()).isEqualTo("equal");
        assertThat(host.get("/status/t").result().get("guarantee").asString()).startsWith("verified(");
        postgres.execute("DROP TABLE t");
        JsonNode unfinished = verify("{}");
        assertThat(unfinished.get("verdict").asString()).isEqualTo("unfinished");
        assertThat(unfinished.get("error").get("fault").asString()).isEqualTo("CONFLICT");
        assertThat(unfinished.get("error").get("remedy").asString()).contains("create the table in the source");
        assertThat(unfinished.get("verified").get("verdict").asString()).isEqualTo("equal");
        assertThat(host.get("/status/t").result().get("guarantee").asString()).isEqualTo("behind");
        assertThat(host.post("/tables/t/verify", "{'repair': 1}").status()).isEqualTo(400);
        assertThat(host.post("/tables/u/verify", "").status()).isEqualTo(404);
    }

    /// Writers insert and update all the while, with transactions that commit late; syncs and verifications go on
    /// beside each other. Whatever is only behind must not be called a difference.
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2})
    void while_rows_are_written_nothing_is_called_different_that_is_not(long seed) throws Exception {
        postgres.execute("""
                CREATE TABLE t (k %s PRIMARY KEY, v int, at timestamptz NOT NULL DEFAULT now());
                INSERT INTO t SELECT i, 0 FROM generate_series(1, 3000) i
                """.formatted(seed % 2 == 0 ? "text" : "bigint"));
        post("/tables", "{'name': 't', 'cursorColumn': 'at', 'interval': '1h'}");
        AtomicBoolean isOpen = new AtomicBoolean(true);
        List<Future<?>> writers = new ArrayList<>();
        try (ExecutorService threads =
                Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
            for (int i = 0; i < 2; i++) {
                Random random = new Random(seed * 100 + i);
                int first = 10_000 * (i + 1);
                writers.add(threads.submit(() -> write(random, first, isOpen)));
            }
            try {
                for (int i = 0; i < 4; i++) {
                    JsonNode proof = verify(i == 3 ? "{'repair': true}" : "{}");
                    assertThat(proof.get("verdict").asString())
                            .as(proof.toString())
                            .isEqualTo("equal");
                }
            } finally {
                isOpen.set(false);
            }
            for (Future<?> writer : writers) writer.get();
        }
        host.execute("UPDATE t SET v = -1 WHERE k = '77'");
        JsonNode proof = verify("{}");
        assertThat(counts(proof)).contains("0 missing, 1 different, 0 extra");
        assertThat(proof.get("pending").asLong()).isZero();
    }

    private boolean write(Random random, int first, AtomicBoolean isOpen) throws SQLException {
        int next = first;
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            while (isOpen.get()) {
                int rows = 1 + random.nextInt(20);
                for (int i = 0; i < rows; i++) {
                    statement.addBatch(
                            random.nextInt(3) == 0
                                    ? "INSERT INTO t VALUES ('%d', 1)".formatted(next++)
                                    : "UPDATE t SET v = %d, at = now() WHERE k = '%d'"
                                            .formatted(random.nextInt(1000), 1000 + random.nextInt(2000)));
                }
                try {
                    statement.executeBatch();
                    if (random.nextInt(10) == 0) connection.rollback();
                    else connection.commit();
                } catch (SQLException e) {
                    if (!"40P01".equals(e.getSQLState())) throw e; // a deadlock of the two writers
                    connection.rollback();
                }
            }
        }
        return true;
    }

    private static String counts(JsonNode proof) {
        return "%d rows: %d missing, %d different, %d extra, %d repaired"
                .formatted(
                        proof.get("rows").asLong(),
                        proof.get("missing").asLong(),
                        proof.get("different").asLong(),
                        proof.get("extra").asLong(),
                        proof.get("repaired").asLong());
    }

    private JsonNode verify(String body) {
        return post("/tables/t/verify", body).get("proof");
    }

    private JsonNode post(String path, String body) {
        return host.post(path, body).result();
    }
}
