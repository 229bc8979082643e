package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// The form of the cursor in the status, with a real PostgreSQL.
class CursorFormTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"'mode':'cursor'", "'exclude':['at']", "'timestamps':'epoch_micros'"})
    void a_cursor_has_one_form_whether_it_is_copied_or_not_and_after_a_recovery(String fields) {
        try (TestPostgres postgres = TestPostgres.create();
                Source source = new PostgresSource(postgres.config());
                TestHost host = TestHost.idle(folder, source)) {
            postgres.execute("""
                    CREATE TABLE t (id date PRIMARY KEY, at timestamptz NOT NULL);
                    INSERT INTO t VALUES ('2025-01-01', '2025-01-01 00:00Z'), ('0044-03-15 BC', '2025-01-01 12:30:00.25Z')""");
            host.post("/tables", "{'name':'t','cursorColumn':'at',%s}".formatted(fields))
                    .result();
            assertThat(host.plugin.syncTable("t").join().error()).isEmpty();
            assertStands(host);
            host.post("/tables/t/recover", "").result();
            assertStands(host);
            assertThat(host.plugin.syncTable("t").join().error()).isEmpty();
            assertStands(host);
        }
    }

    @Test
    void a_recovery_of_an_empty_table_and_of_one_with_NULL_in_its_named_key_finds_its_place() {
        try (TestPostgres postgres = TestPostgres.create();
                Source source = new PostgresSource(postgres.config());
                TestHost host = TestHost.idle(folder, source)) {
            postgres.execute("CREATE TABLE t (id int, c int NOT NULL)");
            host.post("/tables", "{'name':'t','cursorColumn':'c','key':['id']}").result();
            assertThat(host.plugin.syncTable("t").join().error()).isEmpty();
            host.post("/tables/t/recover", "").result();
            postgres.execute("INSERT INTO t VALUES (1, 1), (NULL, 2)");
            assertThat(host.plugin.syncTable("t").join().error()).isEmpty();
            JsonNode recovered = host.post("/tables/t/recover", "").result();
            assertThat(recovered.get("success").asBoolean())
                    .as(recovered.toString())
                    .isTrue();
            assertThat(host.get("/status/t").result().get("cursor").asString()).isEqualTo("1");
        }
    }

    private static void assertStands(TestHost host) {
        JsonNode status = host.get("/status/t").result();
        assertThat(status.get("cursor").asString()).isEqualTo("2025-01-01T12:30:00.250000Z");
        assertThat(status.get("cursorKey").get(0).asString()).isEqualTo("0044-03-15 BC");
        assertThat(host.value("SELECT cursor FROM tmp_replication_runs ORDER BY id DESC LIMIT 1"))
                .isEqualTo("2025-01-01T12:30:00.250000Z");
    }
}
