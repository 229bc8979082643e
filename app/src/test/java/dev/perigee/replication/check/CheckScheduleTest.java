package dev.perigee.replication.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.TestHost;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The schedule of checks, with a clock in the test's hand.
class CheckScheduleTest {
    @TempDir
    Path folder;

    @Test
    void a_verification_is_due_by_its_setting_and_a_restart_neither_forgets_nor_repeats_it() {
        Clock clock = new Clock();
        TableConfig table = TableConfig.of("t", "c", Duration.ofHours(5)).toBuilder()
                .verify(Duration.ofHours(1))
                .build();
        TableConfig paused = TableConfig.of("p", "c", Duration.ofHours(5)).toBuilder()
                .verify(Duration.ofMinutes(1))
                .paused(true)
                .build();
        try (TestPostgres postgres = TestPostgres.create();
                PostgresSource source = new PostgresSource(postgres.config())) {
            postgres.execute("""
                    CREATE TABLE t (k int PRIMARY KEY, c int NOT NULL); INSERT INTO t VALUES (1, 1);
                    CREATE TABLE p (k int PRIMARY KEY, c int NOT NULL)""");
            Instant due = clock.instant().plus(Duration.ofHours(1));
            try (TestHost host = TestHost.started(folder, source, clock, TestHost.settings(table, paused))) {
                await().until(() -> host.get("/status/t").result().has("lastSyncAt"));
                await().untilAsserted(() -> assertThat(host.alarm()).hasValue(due));
                assertThat(host.get("/proof/t").result().get("nextVerifyAt").asString())
                        .isEqualTo(due.toString());
            }
            clock.now = due.minusSeconds(1);
            try (TestHost host = TestHost.started(folder, source, clock, TestHost.settings(table, paused))) {
                await().untilAsserted(() -> assertThat(host.alarm()).hasValue(due));
                assertThat(host.query("SELECT * FROM tmp_replication_proofs")).isEmpty();
            }
            clock.now = due.plusSeconds(1);
            try (TestHost host = TestHost.started(folder, source, clock, TestHost.settings(table, paused))) {
                Instant next = clock.instant().plus(Duration.ofHours(1));
                await().untilAsserted(() -> assertThat(host.alarm()).hasValue(next));
                assertThat(host.query("SELECT name, verdict FROM tmp_replication_proofs"))
                        .containsExactly(java.util.List.of("t", "equal"));
                assertThat(host.query("SELECT name FROM tmp_replication_checks WHERE due_at = " + next.toEpochMilli()))
                        .containsExactly(java.util.List.of("t"));
            }
        }
    }

    /// An hour ahead for a moment, in which the table was synced.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"60s | | false", "60s | | true", " | */5 * * * * | false", " | */5 * * * * | true"})
    void a_clock_that_was_ahead_for_a_while_puts_nothing_off(String interval, String cron, boolean isRestarted) {
        Clock clock = new Clock();
        TableConfig table = TableConfig.of("t", "c", Duration.ofMinutes(1)).toBuilder()
                .verify(Duration.ofMinutes(10))
                .build();
        if (cron != null) table = table.toBuilder().cron(cron, "UTC").build();
        Instant latest = clock.instant().plus(interval == null ? Duration.ofMinutes(5) : Duration.ofMinutes(1));
        try (TestPostgres postgres = TestPostgres.create();
                PostgresSource source = new PostgresSource(postgres.config())) {
            postgres.execute("CREATE TABLE t (k int PRIMARY KEY, c int NOT NULL); INSERT INTO t VALUES (1, 1)");
            try (TestHost host = TestHost.started(folder, source, clock, TestHost.settings(table))) {
                await().until(() -> host.get("/status/t").result().has("lastSyncAt"));
                clock.now = clock.now.plus(Duration.ofHours(1));
                host.wake();
                await().until(() -> host.get("/status/t")
                                .result()
                                .get("nextSyncAt")
                                .asString()
                                .compareTo(latest.plusSeconds(600).toString())
                        > 0);
                clock.now = clock.now.minus(Duration.ofHours(1));
                if (!isRestarted) {
                    host.wake();
                    await().untilAsserted(() -> assertThat(host.alarm()).hasValue(latest));
                }
            }
            if (!isRestarted) return;
            try (TestHost host = TestHost.started(folder, source, clock, TestHost.settings(table))) {
                await().untilAsserted(() -> assertThat(host.alarm()).hasValue(latest));
                assertThat(host.get("/status/t").result().get("nextSyncAt").asString())
                        .isEqualTo(latest.toString());
            }
        }
    }

    private static final class Clock implements InstantSource {
        volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");

        @Override
        public Instant instant() {
            return now;
        }
    }
}
