package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.sync.SyncResult;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a sync does at bad moments, with a source that has them at will.
class SyncTest {
    @TempDir
    Path folder;

    private final DoorSource source = new DoorSource();

    @Test
    void a_source_that_breaks_off_leaves_the_pages_before_and_the_next_sync_goes_on_from_there() {
        for (int i = 1; i <= 100; i++) source.put("t", i, 7); // ties all along
        try (TestHost host = TestHost.idle(folder, source, table("t", 10))) {
            source.breakAfter = 35;
            SyncResult broken = host.plugin.syncTable("t").join();
            assertThat(broken.error())
                    .hasValueSatisfying(error -> assertThat(error.fault()).isEqualTo("SOURCE_UNREACHABLE"));
            assertThat(broken.inserted()).isEqualTo(30);
            assertThat(host.value("SELECT count(*) || ' ' || max(id) FROM t")).isEqualTo("30 30");
            assertThat(host.value("SELECT cursor || ' ' || cursor_key FROM tmp_replication_state"))
                    .isEqualTo("7 [\"30\"]");
            source.breakAfter = -1;
            assertThat(host.plugin.syncTable("t").join().inserted()).isEqualTo(70);
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("100");
            assertThat(host.value("SELECT failures FROM tmp_replication_state")).isEqualTo("0");
        }
    }

    @Test
    void who_asks_for_a_sync_that_runs_joins_it() {
        source.put("t", 1, 1);
        source.isHeld = true;
        try (TestHost host = TestHost.idle(folder, source, table("t", 10))) {
            CompletableFuture<SyncResult> first = host.plugin.syncTable("t");
            await().until(() -> source.inside.get() == 1);
            CompletableFuture<SyncResult> second = host.plugin.syncTable("t");
            source.door.release(10);
            assertThat(second.join()).isEqualTo(first.join());
            assertThat(source.pulls.get()).isEqualTo(1);
        }
    }

    @Test
    void no_more_tables_are_synced_at_once_than_configured() {
        TableConfig[] tables =
                IntStream.range(0, 8).mapToObj(i -> table("t" + i, 10)).toArray(TableConfig[]::new);
        for (TableConfig table : tables) source.put(table.name(), 1, 1);
        source.isHeld = true;
        try (TestHost host = TestHost.idle(folder, source, tables)) {
            CompletableFuture<List<SyncResult>> all = host.plugin.syncAllTables();
            await().until(() -> source.inside.get() == 2);
            source.door.release(100);
            assertThat(all.join()).hasSize(8).allMatch(SyncResult::succeeded);
            assertThat(source.mostInside.get()).isEqualTo(2);
        }
    }

    @Test
    void a_table_that_fails_is_tried_again_and_holds_up_no_other() {
        source.put("good", 1, 1);
        try (TestHost host = TestHost.started(folder, source, table("bad", 10), table("good", 10))) {
            await().untilAsserted(() -> assertThat(
                            host.value("SELECT failures > 2 FROM tmp_replication_state WHERE name = 'bad'"))
                    .isEqualTo("1"));
            assertThat(host.value("SELECT count(*) FROM good")).isEqualTo("1");
            source.put("bad", 5, 5);
            await().ignoreExceptions()
                    .untilAsserted(() ->
                            assertThat(host.value("SELECT count(*) FROM bad")).isEqualTo("1"));
        }
    }

    /// The clock is in the test's hand: nothing is due before its time, and what was due while the server was down is
    /// synced once when it is back.
    @Test
    void only_what_is_due_is_synced_and_an_alarm_outlives_a_restart() {
        source.put("often", 1, 1);
        source.put("rarely", 1, 1);
        MovingClock clock = new MovingClock();
        ReplicationConfig config =
                TestHost.settings(table("often", Duration.ofSeconds(10)), table("rarely", Duration.ofHours(5)));
        try (TestHost host = TestHost.started(folder, source, clock, config)) {
            await().until(() -> runs(host, "often") == 1 && runs(host, "rarely") == 1);
            await().untilAsserted(() ->
                    assertThat(host.alarm()).hasValue(clock.instant().plusSeconds(10)));
        }
        clock.now = clock.now.plusSeconds(9);
        try (TestHost host = TestHost.started(folder, source, clock, config)) {
            await().untilAsserted(() ->
                    assertThat(host.alarm()).hasValue(clock.instant().plusSeconds(1)));
            assertThat(source.pulls.get()).as("nothing is due").isEqualTo(2);
        }
        clock.now = clock.now.plusSeconds(500);
        try (TestHost host = TestHost.started(folder, source, clock, config)) {
            await().until(() -> runs(host, "often") == 2);
            assertThat(runs(host, "rarely")).isEqualTo(1);
            await().untilAsserted(() ->
                    assertThat(host.alarm()).hasValue(clock.instant().plusSeconds(10)));
        }
    }

    @Test
    void a_server_that_stops_ends_a_sync_at_its_page_and_the_next_start_goes_on() {
        for (int i = 1; i <= 50; i++) source.put("t", i, i);
        source.isHeld = true;
        try (TestHost host = TestHost.idle(folder, source, table("t", 10))) {
            CompletableFuture<SyncResult> running = host.plugin.syncTable("t");
            await().until(() -> source.inside.get() == 1);
            source.door.release(100);
            host.plugin.stop();
            assertThat(running).isDone();
        }
        try (TestHost host = TestHost.idle(folder, source, table("t", 10))) {
            assertThat(host.plugin.syncTable("t").join().succeeded()).isTrue();
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("50");
            assertThat(host.query("SELECT outcome FROM tmp_replication_runs WHERE outcome = 'running'"))
                    .isEmpty();
        }
    }

    private static long runs(TestHost host, String table) {
        return Long.parseLong(host.value(
                "SELECT count(*) FROM tmp_replication_runs WHERE outcome = 'ok' AND name = '%s'".formatted(table)));
    }

    private static TableConfig table(String name, Duration interval) {
        return TableConfig.of(name, "c", interval);
    }

    private static TableConfig table(String name, int pageRows) {
        return table(name, Duration.ofSeconds(1)).toBuilder().pageRows(pageRows).build();
    }

    private static final class MovingClock implements InstantSource {
        volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");

        @Override
        public Instant instant() {
            return now;
        }
    }
}
