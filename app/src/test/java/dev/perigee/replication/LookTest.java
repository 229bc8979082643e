package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.Look;
import dev.perigee.source.Snapshot;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.FolderServer;
import dev.perigee.testing.ForwardingSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Looks at the source instead of syncs: which tables they find unchanged, and which not, at a real server.
class LookTest {
    private static final Duration RARELY = Duration.ofHours(1);

    @TempDir
    Path folder;

    private TestPostgres postgres;
    private CountingSource source;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        source = new CountingSource(new PostgresSource(postgres.config()));
        postgres.execute("""
                CREATE TYPE mood AS ENUM ('ok', 'sad');
                CREATE DOMAIN name AS text;
                CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), feels mood DEFAULT 'ok', called name,
                    big bigint GENERATED ALWAYS AS (id * 2) STORED);
                INSERT INTO t (called) SELECT 'first ' || i FROM generate_series(1, 10) i;
                CREATE TABLE p (id bigint NOT NULL PRIMARY KEY, at timestamptz NOT NULL) PARTITION BY RANGE (id);
                CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
                CREATE TABLE p2 (id bigint NOT NULL PRIMARY KEY, at timestamptz NOT NULL);
                INSERT INTO p SELECT i, now() FROM generate_series(1, 10) i;
                INSERT INTO p2 SELECT i, '2000-01-01' FROM generate_series(100, 110) i""");
    }

    @AfterEach
    void stop() {
        source.close();
        postgres.close();
    }

    @Test
    void tables_that_did_not_change_are_not_synced_and_are_complete_as_of_the_look() {
        TableConfig full = TableConfig.of("full", Mode.FULL, RARELY);
        TableConfig xmin = TableConfig.of("by_xmin", Mode.XMIN, RARELY);
        postgres.execute("CREATE TABLE \"full\" (a int PRIMARY KEY); CREATE TABLE by_xmin (a int PRIMARY KEY)");
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"), by("p", "at"), full, xmin)) {
            settle(host, "t", "p", "full", "by_xmin");
            Instant before = completeAsOf(host, "t");
            String runs = host.value("SELECT count(*) FROM tmp_replication_runs");
            assertThat(poll(host, "t", "p", "full", "by_xmin")).isEmpty();
            assertThat(completeAsOf(host, "t")).isAfter(before);
            assertThat(completeAsOf(host, "full")).isAfter(before);
            assertThat(completeAsOf(host, "by_xmin")).isAfter(before);
            assertThat(host.value("SELECT count(*) FROM tmp_replication_runs")).isEqualTo(runs);
        }
    }

    @Test
    void a_new_table_is_watched_from_its_first_sync_on() {
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"))) {
            assertThat(poll(host, "t")).containsExactly("t");
            await().until(() -> poll(host, "t").isEmpty());
            assertThat(source.snapshots.get())
                    .as("the first copies the rows, and another may seal them")
                    .isLessThanOrEqualTo(2);
        }
    }

    @Test
    void what_a_look_has_shown_outlives_a_restart() {
        Instant shown;
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"))) {
            settle(host, "t");
            poll(host, "t");
            shown = completeAsOf(host, "t");
            assertThat(host.value("SELECT complete_as_of FROM tmp_replication_state"))
                    .isNotEqualTo(Long.toString(shown.toEpochMilli()));
        }
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"))) {
            assertThat(completeAsOf(host, "t").toEpochMilli()).isEqualTo(shown.toEpochMilli());
        }
    }

    @Test
    void equal_versions_are_told_apart_by_one_statement_and_others_by_a_look() {
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"), by("p", "at"))) {
            settle(host, "t", "p");
            await().until(() -> {
                int looks = source.looks.get();
                poll(host, "t", "p");
                return source.looks.get() == looks; // nothing at all was written on the server meanwhile
            });
            postgres.execute("CREATE TABLE other (a int)");
            int looks = source.looks.get();
            int snapshots = source.snapshots.get();
            assertThat(poll(host, "t", "p")).isEmpty();
            assertThat(source.looks.get()).isEqualTo(looks + 1);
            assertThat(source.snapshots.get()).isEqualTo(snapshots);
        }
    }

    @Test
    void only_the_table_that_changed_is_synced() {
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"), by("p", "at"))) {
            settle(host, "t", "p");
            postgres.execute("INSERT INTO t (called) VALUES ('new')");
            assertThat(poll(host, "t", "p")).containsExactly("t");
            assertThat(host.value("SELECT count(*) FROM t WHERE called = 'new'"))
                    .isEqualTo("1");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "INSERT INTO t (at, called) VALUES (NULL, 'without a cursor')",
                "UPDATE t SET at = now() WHERE id = 3",
                "UPDATE t SET at = NULL WHERE id = 3",
                "ALTER TABLE t ADD COLUMN more int DEFAULT 7",
                "ALTER TABLE t DROP COLUMN called",
                "ALTER TABLE t RENAME COLUMN called TO name",
                "ALTER TABLE t ALTER COLUMN called TYPE varchar(80) USING 'x' || called",
                "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
                "ALTER TABLE t ALTER COLUMN at SET DEFAULT clock_timestamp()",
                "CREATE INDEX t_called ON t (called)",
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "TRUNCATE t",
                "ALTER TABLE t RENAME TO renamed",
                "DROP TABLE t",
                "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t USING (false)"
            })
    void what_a_sync_would_find_is_not_taken_for_unchanged(String change) {
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"))) {
            settle(host, "t");
            postgres.execute(change);
            assertThat(poll(host, "t")).containsExactly("t");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DELETE FROM t WHERE id = 10",
                "ANALYZE t",
                "VACUUM t",
                "CREATE TABLE other (a int)",
                "CREATE TEMPORARY TABLE passing (a int); DROP TABLE passing",
                "SELECT nextval('t_id_seq')",
                "UPDATE p SET at = now()"
            })
    void what_no_sync_would_find_is_taken_for_unchanged(String change) {
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"))) {
            settle(host, "t");
            postgres.execute(change);
            assertThat(poll(host, "t")).isEmpty();
        }
    }

    @Test
    void a_sequence_that_was_set_back_is_found() {
        try (TestHost host = TestHost.idle(folder, source, by("t", "id"))) {
            settle(host, "t");
            postgres.execute("SELECT setval('t_id_seq', 5)");
            assertThat(host.plugin.pollTables(List.of("t")).join())
                    .singleElement()
                    .satisfies(result ->
                            assertThat(result.error().orElseThrow().fault()).isEqualTo("SOURCE_BEHIND_CURSOR"));
        }
    }

    @Test
    void a_partition_that_is_attached_is_found() {
        try (TestHost host = TestHost.idle(folder, source, by("p", "at"))) {
            settle(host, "p");
            postgres.execute("ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200)");
            assertThat(poll(host, "p")).containsExactly("p");
            assertThat(host.value("SELECT count(*) FROM p")).isEqualTo("21");
        }
    }

    @Test
    void a_row_that_is_committed_late_is_found_and_the_table_sealed_afterwards() throws SQLException {
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"));
                Connection late = postgres.connect()) {
            settle(host, "t");
            late.setAutoCommit(false);
            try (Statement statement = late.createStatement()) {
                statement.execute("SELECT now()"); // the row's time, long before the row
                postgres.execute("INSERT INTO t (called) VALUES ('on time')");
                assertThat(poll(host, "t")).containsExactly("t");
                for (int i = 0; i < 3; i++) {
                    assertThat(poll(host, "t")).isEmpty();
                    postgres.execute("CREATE TABLE other%d ()".formatted(i));
                }
                statement.execute("INSERT INTO t (called) VALUES ('late')");
            }
            late.commit();
            assertThat(poll(host, "t")).containsExactly("t");
            assertThat(host.value("SELECT count(*) FROM t WHERE called = 'late'"))
                    .isEqualTo("1");
            settle(host, "t");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "LOCK TABLE p IN ACCESS EXCLUSIVE MODE",
                "LOCK TABLE p1 IN ACCESS EXCLUSIVE MODE",
                "REINDEX TABLE p1"
            })
    void only_the_table_that_somebody_has_locked_is_left_to_a_sync(String lock) throws SQLException {
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"), by("p", "at"));
                Connection other = postgres.connect()) {
            settle(host, "t", "p");
            other.setAutoCommit(false);
            try (Statement statement = other.createStatement()) {
                statement.execute(lock);
                // So that the versions differ: a look that finds them equal reads no table.
                postgres.execute("CREATE TABLE other (a int)");
                CompletableFuture<List<SyncResult>> polled = host.plugin.pollTables(List.of("t", "p"));
                other.rollback();
                assertThat(polled.join()).extracting(SyncResult::table).containsExactly("p");
            }
        }
    }

    @Test
    void only_the_table_without_its_cursor_is_left_to_a_sync() {
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"), by("p", "at"))) {
            settle(host, "t", "p");
            postgres.execute("ALTER TABLE p DROP COLUMN at");
            assertThat(poll(host, "t", "p")).containsExactly("p");
        }
    }

    @Test
    void a_ping_has_tables_looked_at_at_once() {
        try (TestHost host = TestHost.started(folder, source, by("t", "at"), by("p", "at"))) {
            await().until(() -> host.query("SELECT 1 FROM tmp_replication_state WHERE last_sync_at IS NOT NULL")
                            .size()
                    == 2);
            postgres.execute("INSERT INTO t (called) VALUES ('pinged'); INSERT INTO p VALUES (20, now())");
            host.post("/ping", "{'tables': ['t']}").result();
            await().until(() ->
                    host.value("SELECT count(*) FROM t WHERE called = 'pinged'").equals("1"));
            assertThat(host.value("SELECT count(*) FROM p")).isEqualTo("10");
            host.post("/ping", "").result();
            await().until(() -> host.value("SELECT count(*) FROM p").equals("11"));
            assertThat(host.post("/ping", "{'tables': ['nothing']}").status()).isEqualTo(404);
        }
    }

    @Test
    void a_server_that_was_started_again_is_looked_at_by_a_sync() {
        try (FolderServer server = FolderServer.start(folder.resolve("postgres"), Map.of());
                PostgresSource own = new PostgresSource(TestPostgres.config(server.port(), "postgres"));
                TestHost host = TestHost.idle(folder.resolve("replica"), own, by("t", "at"))) {
            server.execute("""
                    CREATE TABLE t (id int PRIMARY KEY, at timestamptz DEFAULT now());
                    INSERT INTO t SELECT i FROM generate_series(1, 10) i""");
            settle(host, "t");
            server.copyTo(folder.resolve("files")); // stops and starts it
            await().atMost(Duration.ofMinutes(1)).until(() -> {
                List<SyncResult> synced = host.plugin.pollTables(List.of("t")).join();
                assertThat(synced).as("what the server may have lost").isNotEmpty();
                return synced.getFirst().succeeded(); // the sessions from before are closed
            });
            settle(host, "t");
        }
    }

    @Test
    void a_view_is_synced_each_time() {
        postgres.execute("CREATE VIEW v AS SELECT 1 AS id, clock_timestamp() AS at");
        TableConfig view = by("v", "at").toBuilder().key(List.of("id")).build();
        try (TestHost host = TestHost.idle(folder, source, view)) {
            for (int i = 0; i < 4; i++) assertThat(poll(host, "v")).containsExactly("v");
        }
    }

    @Test
    void other_settings_are_synced_anew() {
        try (TestHost host = TestHost.idle(folder, source, by("t", "at"))) {
            settle(host, "t");
            host.call("PATCH", "/tables/t", "{'exclude': ['called']}").result();
            assertThat(poll(host, "t")).containsExactly("t");
        }
    }

    @Test
    void tables_with_about_the_same_interval_are_always_watched_together() {
        TableConfig often = TableConfig.of("t", "at", Duration.ofMillis(100));
        TableConfig alike = TableConfig.of("p", "at", Duration.ofMillis(120));
        postgres.execute("CREATE TABLE seldom (id int PRIMARY KEY, at timestamptz NOT NULL)");
        try (TestHost _ = TestHost.started(folder, source, often, alike, by("seldom", "at"))) {
            String again = "INSERT INTO t (called) VALUES ('new')"; // so that it is synced, and a look follows
            await().untilAsserted(() -> {
                postgres.execute(again);
                assertThat(source.watched).contains(List.of("p", "t"));
            });
            source.watched.clear();
            await().untilAsserted(() -> {
                postgres.execute(again);
                assertThat(source.watched).hasSizeGreaterThan(10);
            });
            assertThat(source.watched).containsOnly(List.of("p", "t"));
        }
    }

    /// Polls until the tables are sealed and nothing is found any more.
    private void settle(TestHost host, String... tables) {
        await().atMost(Duration.ofMinutes(1)).until(() -> poll(host, tables).isEmpty());
    }

    /// @return the tables that were synced
    private static List<String> poll(TestHost host, String... tables) {
        return host.plugin.pollTables(List.of(tables)).join().stream()
                .map(SyncResult::table)
                .toList();
    }

    private static Instant completeAsOf(TestHost host, String table) {
        return host.plugin.status().stream()
                .filter(status -> status.name().equals(table))
                .findFirst()
                .flatMap(status -> status.promise().completeAsOf())
                .orElseThrow();
    }

    private static TableConfig by(String table, String cursor) {
        return TableConfig.of(table, cursor, RARELY);
    }

    /// Counts looks and snapshots.
    private static final class CountingSource extends ForwardingSource {
        final AtomicInteger looks = new AtomicInteger();
        final AtomicInteger snapshots = new AtomicInteger();

        /// The tables of each portion.
        final Queue<List<String>> watched = new ConcurrentLinkedQueue<>();

        CountingSource(PostgresSource source) {
            super(source);
        }

        @Override
        public Optional<Look> look(List<Look.Portion> portions) {
            looks.incrementAndGet();
            portions.forEach(portion -> watched.add(portion.watched().stream()
                    .map(one -> one.table().id().name())
                    .toList()));
            // As for tables that are watched for long: the server keeps the statement prepared.
            return super.look(portions.stream()
                    .map(portion -> new Look.Portion(portion.tables(), portion.watched(), true))
                    .toList());
        }

        @Override
        public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
            snapshots.incrementAndGet();
            return super.snapshot(where, tables, work);
        }
    }
}
