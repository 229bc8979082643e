package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.testing.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A replica that cannot be written is in the status of every table, whatever could not be recorded.
class ReplicaTroubleTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private Source source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        postgres.execute("CREATE TABLE t (k int PRIMARY KEY, c int NOT NULL); INSERT INTO t VALUES (1, 1)");
        source = new PostgresSource(postgres.config());
        host = TestHost.started(
                folder,
                source,
                InstantSource.system(),
                TestHost.settings(TableConfig.of("t", "c", Duration.ofSeconds(1))));
        // The row is there before the load has ended.
        await().until(() -> !status().path("guarantee").asString("loading").equals("loading"));
    }

    @AfterEach
    void stop() {
        host.close();
        source.close();
        postgres.close();
    }

    @Test
    void another_process_that_holds_the_file_is_named_with_the_file_until_it_lets_go() {
        Path file = folder.resolve("perigee.db");
        try (SqliteConnection other = SqliteConnection.open(file, EnumSet.of(OpenFlag.READWRITE))) {
            other.exec("PRAGMA busy_timeout = 60000"); // Perigee may be writing
            other.exec("BEGIN IMMEDIATE");
            awaitTrouble("BUSY");
            other.exec("COMMIT");
        }
        awaitRight();
    }

    @Test
    void a_full_disk_is_named_with_the_file_until_there_is_room() {
        host.execute("PRAGMA max_page_count = 1"); // that is: as many as there are
        postgres.execute("INSERT INTO t SELECT i, i FROM generate_series(2, 40000) i");
        awaitTrouble("DISK_FULL");
        host.execute("PRAGMA max_page_count = 1000000");
        awaitRight();
    }

    /// Its pages would be written to a file that no name leads to, and be gone with the process.
    @Test
    void a_file_that_was_removed_takes_no_more_writes() throws IOException {
        Files.delete(folder.resolve("perigee.db"));
        awaitTrouble("REPLICA_LOST");
        assertThat(host.get("/status/t").result().get("lastError").get("remedy").asString())
                .contains("docs/replication.md");
        assertThatExceptionOfType(PerigeeException.class)
                .isThrownBy(() -> host.execute("DELETE FROM t"))
                .withMessageStartingWith("REPLICA_LOST in replica " + folder.resolve("perigee.db"));
    }

    private void awaitTrouble(String fault) {
        await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
            JsonNode status = status();
            assertThat(status.path("lastError").path("fault").asString("")).isEqualTo(fault);
            assertThat(status.get("state").asString()).isIn("failing", "syncing");
            assertThat(status.get("lastError").get("message").asString())
                    .contains(folder.resolve("perigee.db").toString());
            assertThat(status.get("guarantee").asString()).isEqualTo("behind");
        });
    }

    private void awaitRight() {
        await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
            assertThat(status().has("lastError")).isFalse();
            assertThat(status().get("guarantee").asString()).isNotEqualTo("behind");
        });
    }

    private JsonNode status() {
        return host.get("/status/t").result();
    }
}
