package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
    @CsvSource(delimiter = '|', textBlock = """
            k bigint PRIMARY KEY                             | i, | k
            k text PRIMARY KEY                               | chr(64 + i % 50) || i, | k
            a text COLLATE "en-x-icu", b int, PRIMARY KEY (a, b) | chr(96 + i % 7), i, | a, b
            k numeric PRIMARY KEY                            | i / 4.0, | k
            k timestamptz PRIMARY KEY                        | '0044-03-15 BC'::timestamptz + i * interval '1 day', | k
            """)
    void one_wrong_one_missing_and_one_extra_row_are_found_and_repaired(String key, String values, String columns) {
        postgres.execute("""
                CREATE TABLE t (c int NOT NULL, v text, n numeric(9,2), %s);
                INSERT INTO t SELECT i, nullif('v' || i, 'v9'), i / 3.0, %s FROM generate_series(1, 20000) i
                """.formatted(key, values.substring(0, values.length() - 1)));
        post("/tables", "{'name': 't', 'cursorColumn': 'c', 'interval': '1h'}");
        JsonNode clean = verify("{}");
        assertThat(clean.get("verdict").asString()).as(clean.toString()).isEqualTo("equal");
        assertThat(counts(clean)).isEqualTo("20000 rows: 0 missing, 0 different, 0 extra, 0 repaired");

        host.execute("""
                UPDATE t SET v = '' WHERE c = 9;
                DELETE FROM t WHERE c = 20000;
                UPDATE tmp_replication_state SET row_count = row_count - 1""");
        postgres.execute("DELETE FROM t WHERE c = 1");
        JsonNode found = verify("{}");
        assertThat(found.get("verdict").asString()).isEqualTo("different");
        assertThat(counts(found)).isEqualTo("19999 rows: 1 missing, 1 different, 1 extra, 0 repaired");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("19999");

        JsonNode repaired = verify("{'repair': true}");
        assertThat(repaired.get("verdict").asString()).isEqualTo("repaired");
        assertThat(counts(repaired)).isEqualTo("19999 rows: 1 missing, 1 different, 1 extra, 3 repaired");
        JsonNode after = verify("{}");
        assertThat(after.get("verdict").asString()).isEqualTo("equal");
        assertThat(after.get("digest")).isEqualTo(repaired.get("digest")).isNotEqualTo(clean.get("digest"));
        assertThat(host.get("/status/t").result().get("rowCount").asLong()).isEqualTo(19999);
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
