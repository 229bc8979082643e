package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.TableConfig;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What becomes of a table's settings, from the file and over REST.
class TablesTest {
    private static final TableConfig HOURLY = TableConfig.of("t", "c", Duration.ofHours(1));

    @TempDir
    Path folder;

    private final DoorSource source = new DoorSource();

    @BeforeEach
    void rows() {
        for (int id = 1; id <= 10; id++) {
            source.put("t", id, id);
            source.put("u", id, id);
        }
    }

    @Test
    void a_table_that_the_file_no_longer_names_says_why_it_rests_until_it_is_resumed() {
        TestHost.idle(folder, source, HOURLY).close();
        try (TestHost host = TestHost.idle(folder, source)) {
            JsonNode table = host.get("/tables/t").result();
            assertThat(table.get("paused").asBoolean()).isTrue();
            assertThat(table.get("pausedBecause").asString())
                    .contains("the configuration file no longer names it", "perigee tables resume t");
            assertThat(host.get("/tables").result().get("tables").get(0)).isEqualTo(table);
            JsonNode status = host.get("/status/t").result();
            assertThat(status.get("state").asString()).isEqualTo("paused");
            assertThat(status.get("notes").toString()).contains("no longer names it");
            host.call("PATCH", "/tables/t", "{'paused': false}").result();
            assertThat(host.get("/tables/t").result().has("pausedBecause")).isFalse();
        }
        try (TestHost host = TestHost.idle(folder, source)) {
            assertThat(host.get("/tables/t").result().get("paused").asBoolean()).isFalse();
        }
    }

    @Test
    void the_end_of_a_table_that_the_configuration_names_says_that_the_next_start_has_it_again() {
        try (TestHost host = TestHost.idle(folder, source, HOURLY)) {
            host.post("/tables", "{'name': 'u', 'cursorColumn': 'c'}").result();
            assertThat(host.call("DELETE", "/tables/u", "").result().has("note"))
                    .isFalse();
            assertThat(host.call("DELETE", "/tables/t?drop=true", "")
                            .result()
                            .get("note")
                            .asString())
                    .contains("`replication.tables`", "the next start replicates it again", "remove it there too");
        }
        try (TestHost host = TestHost.idle(folder, source, HOURLY)) {
            assertThat(host.get("/tables").result().get("tables").size()).isEqualTo(1);
        }
    }

    @Test
    void a_table_that_is_added_again_keeps_what_is_not_named() {
        try (TestHost host = TestHost.idle(folder, source)) {
            host.post(
                            "/tables",
                            "{'name': 't', 'cursorColumn': 'c', 'interval': '2h', 'verify': '24h', 'paused': true}")
                    .result();
            host.post("/tables", "{'name': 't', 'pageRows': 7}").result();
            JsonNode table = host.get("/tables/t").result();
            assertThat(table.get("intervalMs").asLong()).isEqualTo(7_200_000);
            assertThat(table.get("verify").asString()).isEqualTo("1d");
            assertThat(table.get("pageRows").asInt()).isEqualTo(7);
            assertThat(table.get("paused").asBoolean()).isTrue();
            host.post("/tables", "{'name': 't', 'verify': null, 'paused': false}")
                    .result();
            assertThat(host.get("/tables/t").result().has("verify")).isFalse();
        }
    }
}
