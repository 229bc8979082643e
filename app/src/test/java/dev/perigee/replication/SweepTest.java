package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.Deletes;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Rows that are deleted at a real PostgreSQL leave the copy by a sweep, and no others do.
class SweepTest {
    private static final Duration HOUR = Duration.ofHours(1);

    @TempDir
    Path folder;

    private TestPostgres postgres;
    private WatchedSource source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        source = new WatchedSource(new PostgresSource(postgres.config()));
        host = TestHost.idle(folder, source);
    }

    @AfterEach
    void stop() {
        host.close();
        source.close();
        postgres.close();
    }

    /// @param counted whether the source can count such keys by bucket, so that equal sides exchange none
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = ';', quoteCharacter = '"', textBlock = """
            bigint ; i - 1000 ; true
            int ; i * 100000 ; true
            text ; chr(200 + i % 50000) || md5(i::text) ; true
            varchar(40) ; repeat('x', i % 20) || i ; true
            char(12) ; ' ' || i ; true
            uuid ; lpad(to_hex(i), 32, '0')::uuid ; true
            date ; date '1990-01-01' + i ; true
            timestamp ; timestamp '1999-12-31 23:59:59.9' + i * interval '1.7 ms' ; true
            timestamptz ; timestamptz 'epoch' + i * interval '1 day' ; true
            bytea ; int4send(i) ; true
            inet ; inet '10.0.0.0' + i ; true
            interval ; i * interval '61 s' ; true
            numeric ; i / 8.0 ; false
            float8 ; i / 8.0 ; false
            time ; time '00:00' + i * interval '1 s' ; false
            int[] ; array[i, -i] ; false""")
    void rows_with_any_kind_of_key_leave_the_copy_when_they_are_deleted(String type, String key, boolean counted) {
        postgres.execute("CREATE TABLE t (k %s PRIMARY KEY, n bigint NOT NULL)".formatted(type));
        postgres.execute("INSERT INTO t SELECT %s, i FROM generate_series(1, 3000) i".formatted(key));
        follow("t", "'cursorColumn':'n'");
        assertThat(sweep("t", "").get("verdict").stringValue()).isEqualTo("clean");
        assertThat(number("t", "exchanged") == 0).as("no key was exchanged").isEqualTo(counted);
        postgres.execute("DELETE FROM t WHERE n IN (1, 1500, 2999, 3000)");
        postgres.execute("INSERT INTO t SELECT %s, i FROM generate_series(3001, 3003) i".formatted(key));
        assertThat(sweep("t", "").get("verdict").stringValue()).isEqualTo("deleted");
        assertThat(number("t", "deleted")).isEqualTo(4);
        assertThat(number("t", "missing")).isBetween(0L, 3L);
        assertThat(host.value("SELECT row_count FROM tmp_replication_state")).isEqualTo("2996");
        assertSame("t", "n");
        assertThat(sweep("t", "").get("verdict").stringValue()).isEqualTo("clean");
    }

    @Test
    void both_sides_in_one_order_find_what_is_missing_on_either_where_the_source_cannot_count_keys() {
        postgres.execute("CREATE TABLE t (k bigint PRIMARY KEY, n bigint NOT NULL)");
        postgres.execute("INSERT INTO t SELECT i * 7 - 70000, i FROM generate_series(1, 30000) i");
        follow("t", "'cursorColumn':'n'");
        source.isUncounted = true;
        postgres.execute("DELETE FROM t WHERE n IN (1, 2, 9999, 10000, 10001, 29999, 30000)");
        postgres.execute("INSERT INTO t VALUES (-9000000, 30001), (-69992, 30002), (9000000, 30003)");
        JsonNode sweep = sweep("t", "");
        assertThat(sweep.get("deleted").asLong()).isEqualTo(7);
        assertThat(sweep.get("exchanged").asLong()).isEqualTo(29996);
        assertThat(sweep.get("missing").asLong()).isEqualTo(3);
        assertSame("t", "n");
    }

    @Test
    void one_deleted_row_exchanges_the_keys_of_its_bucket_and_no_others() {
        postgres.execute("CREATE TABLE t (k bigint PRIMARY KEY, n bigint NOT NULL)");
        postgres.execute("INSERT INTO t SELECT i, i FROM generate_series(1, 40000) i");
        follow("t", "'cursorColumn':'n'");
        postgres.execute("DELETE FROM t WHERE k = 20000");
        JsonNode sweep = sweep("t", "");
        assertThat(sweep.get("compared").asLong()).isEqualTo(40000);
        assertThat(sweep.get("deleted").asLong()).isEqualTo(1);
        assertThat(sweep.get("exchanged").asLong()).isBetween(1L, 3000L);
        assertThat(host.query("SELECT kind, outcome, deleted FROM tmp_replication_runs WHERE kind = 'sweep'"))
                .containsExactly(List.of("sweep", "ok", "1"));
        JsonNode run = host.get("/runs?table=t").result().get("runs").get(0);
        assertThat(run.get("kind").stringValue()).isEqualTo("sweep");
    }

    @Test
    void views_partitions_renamed_keys_keys_of_several_columns_groups_and_mode_xmin_are_swept() {
        postgres.execute("""
                CREATE TABLE base (a int, "b ""é" text, n bigint NOT NULL, PRIMARY KEY (a, "b ""é"));
                INSERT INTO base SELECT i % 7, 'k' || i, i FROM generate_series(1, 2000) i;
                CREATE VIEW seen AS SELECT a AS rowid, "b ""é" AS b, n FROM base WHERE n <= 1900;
                CREATE TABLE parts (id int, day int, n bigint NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
                CREATE TABLE parts_0 PARTITION OF parts FOR VALUES FROM (0) TO (5);
                CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (5) TO (10);
                INSERT INTO parts SELECT i, i % 10, i FROM generate_series(1, 2000) i""");
        follow("base", "'mode':'xmin','group':'g'");
        follow("seen", "'cursorColumn':'n','key':['rowid','b']");
        follow("parts", "'cursorColumn':'n','group':'g'");
        postgres.execute("DELETE FROM base WHERE n IN (5, 6); DELETE FROM parts WHERE n IN (7, 8, 9)");
        assertThat(sweep("base", "").get("deleted").asLong()).isEqualTo(2);
        assertThat(sweep("seen", "").get("deleted").asLong()).isEqualTo(2);
        assertThat(sweep("parts", "").get("deleted").asLong()).isEqualTo(3);
        assertSame("base", "n");
        assertSame("seen", "n");
        assertSame("parts", "n");
    }

    @Test
    void a_mass_delete_is_asked_about_until_somebody_confirms_what_was_found() {
        loaded(4000);
        postgres.execute("DELETE FROM t WHERE k <= 1500");
        JsonNode asked = sweep("t", "");
        assertThat(asked.get("verdict").stringValue()).isEqualTo("unconfirmed");
        assertThat(asked.get("error").get("fault").stringValue()).isEqualTo("MASS_DELETE");
        assertThat(asked.get("error").get("message").stringValue()).contains("1500 of the 4000", "--confirm");
        assertThat(rows()).isEqualTo(4000);
        assertThat(sweep("t", "").get("verdict").stringValue()).isEqualTo("unconfirmed");
        // Far more than somebody saw is another question.
        postgres.execute("DELETE FROM t WHERE k <= 3900");
        assertThat(sweep("t", "{'confirm':true}").get("awaiting").asLong()).isEqualTo(3900);
        assertThat(rows()).isEqualTo(4000);
        reopen();
        assertThat(status().get("sweep").get("awaiting").asLong()).isEqualTo(3900);
        JsonNode done = sweep("t", "{'confirm':true}");
        assertThat(done.get("verdict").stringValue()).isEqualTo("deleted");
        assertThat(done.has("awaiting")).isFalse();
        assertThat(rows()).isEqualTo(100);
        assertSame("t", "n");
    }

    @Test
    void a_confirmation_when_nothing_was_asked_allows_nothing() {
        loaded(2000);
        postgres.execute("DELETE FROM t");
        assertThat(sweep("t", "{'confirm':true}").get("verdict").stringValue()).isEqualTo("unconfirmed");
        assertThat(rows()).isEqualTo(2000);
    }

    @Test
    void rows_that_are_back_before_a_confirmation_stay() {
        loaded(2000);
        postgres.execute("CREATE TABLE kept AS SELECT * FROM t; DELETE FROM t");
        assertThat(sweep("t", "").get("awaiting").asLong()).isEqualTo(2000);
        postgres.execute("INSERT INTO t SELECT * FROM kept WHERE k > 10");
        assertThat(sweep("t", "{'confirm':true}").get("deleted").asLong()).isEqualTo(10);
        assertSame("t", "n");
    }

    @Test
    void a_row_that_is_back_before_the_second_look_stays() {
        loaded(2000);
        postgres.execute("DELETE FROM t WHERE k IN (7, 8)");
        source.after(1, () -> postgres.execute("INSERT INTO t VALUES (7, 2001)"));
        assertThat(sweep("t", "").get("deleted").asLong()).isEqualTo(1);
        assertThat(host.value("SELECT group_concat(k) FROM t WHERE k IN (7, 8)"))
                .isEqualTo("7");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "TRUNCATE t",
                "ALTER TABLE t RENAME TO gone; CREATE TABLE t (k bigint PRIMARY KEY, n bigint NOT NULL)",
                "DROP TABLE t"
            })
    void a_table_that_is_another_one_at_the_second_look_says_nothing_about_the_first(String meanwhile) {
        loaded(2000);
        postgres.execute("DELETE FROM t WHERE k IN (7, 8)");
        source.after(1, () -> postgres.execute(meanwhile));
        JsonNode sweep = sweep("t", "");
        assertThat(sweep.get("verdict").stringValue()).isEqualTo("failed");
        assertThat(sweep.get("deleted").asLong()).isZero();
        assertThat(rows()).isEqualTo(2000);
    }

    @Test
    void an_answer_that_is_cut_off_anywhere_deletes_nothing_that_is_there() {
        loaded(3000);
        host.close();
        Random random = new Random(3);
        int failed = 0;
        int gone = 0;
        try (TcpProxy proxy = new TcpProxy(postgres.port())) {
            SourceConfig config = TestPostgres.config(proxy.port(), postgres.database());
            for (int bytes = 8_000; bytes < 500_000; bytes += bytes / 2 + random.nextInt(bytes)) {
                for (boolean isUncounted : List.of(false, true)) {
                    postgres.execute("DELETE FROM t WHERE k = " + ++gone);
                    try (WatchedSource cut = new WatchedSource(new PostgresSource(config))) {
                        host = TestHost.idle(folder, cut);
                        cut.isUncounted = isUncounted;
                        proxy.failAfter(bytes, TcpProxy.Fault.CLOSE);
                        if (sweep("t", "").has("error")) failed++;
                        proxy.heal();
                        assertThat(host.query("SELECT k FROM t WHERE k > " + gone))
                                .as("after %d bytes", bytes)
                                .hasSize(3000 - gone);
                        assertThat(host.value("SELECT row_count = (SELECT count(*) FROM t) FROM tmp_replication_state"))
                                .isEqualTo("1");
                    } finally {
                        host.close();
                    }
                }
            }
        }
        assertThat(failed).as("sweeps that were cut off").isBetween(3, gone - 1);
        host = TestHost.idle(folder, source);
        sweep("t", "");
        assertSame("t", "n");
    }

    @Test
    void a_source_that_takes_too_long_deletes_nothing() throws SQLException {
        loaded(2000);
        host.close();
        SourceConfig config = postgres.config();
        try (PostgresSource impatient = new PostgresSource(new SourceConfig(
                        config.type(),
                        config.host(),
                        config.port(),
                        config.user(),
                        config.password(),
                        config.database(),
                        config.defaultSchema(),
                        Map.of(),
                        new SourceConfig.Limits(
                                config.limits().maxConnections(),
                                config.limits().connectTimeout(),
                                Duration.ofMillis(300))));
                Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            host = TestHost.idle(folder, impatient);
            connection.setAutoCommit(false);
            statement.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
            JsonNode sweep = sweep("t", "");
            assertThat(sweep.get("error").get("fault").stringValue()).isEqualTo("SOURCE_TIMEOUT");
            assertThat(rows()).isEqualTo(2000);
            host.close();
        }
        host = TestHost.idle(folder, source);
    }

    @Test
    void a_table_that_is_not_swept_refuses_and_one_that_is_not_loaded_says_so() {
        postgres.execute(
                "CREATE TABLE t (k bigint PRIMARY KEY, n bigint NOT NULL); CREATE TABLE u (k int PRIMARY KEY)");
        host.post("/tables", "{'name':'u','cursorColumn':'k'}").result();
        assertThat(host.post("/tables/u/sweep", "").error()).contains("INVALID_REQUEST", "ignore");
        host.post("/tables", "{'name':'t','cursorColumn':'n','deletes':'sweep(1h)','paused':true}")
                .result();
        assertThat(sweep("t", "").get("error").get("fault").stringValue()).isEqualTo("CONFLICT");
        assertThat(host.post("/tables/t/sweep", "{'confirm':1}").status()).isEqualTo(400);
        assertThat(host.call("DELETE", "/tables/t", "").status()).isEqualTo(200);
        assertThat(host.query("SELECT * FROM tmp_replication_sweeps")).isEmpty();
    }

    /// The clock is in the test's hand.
    @Test
    void sweeps_are_made_when_they_are_due_and_what_is_due_outlives_a_restart() {
        host.close();
        postgres.execute(
                "CREATE TABLE t (k bigint PRIMARY KEY, n bigint NOT NULL); INSERT INTO t VALUES (1, 1), (2, 2)");
        var clock = new InstantSource() {
            volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");

            @Override
            public Instant instant() {
                return now;
            }
        };
        ReplicationConfig config = TestHost.settings(TableConfig.of("t", "n", Duration.ofDays(1)).toBuilder()
                .deletes(new Deletes.Sweep(HOUR))
                .build());
        Instant due = clock.now.plus(HOUR);
        try (TestHost first = TestHost.started(folder, source, clock, config)) {
            await().until(() -> first.query("SELECT name FROM tmp_replication_state WHERE loaded = 1")
                    .equals(List.of(List.of("t"))));
            await().until(() -> first.alarm().equals(Optional.of(due)));
            assertThat(first.get("/tables/t/sweep").result().get("nextAt").stringValue())
                    .isEqualTo(due.toString());
        }
        postgres.execute("DELETE FROM t WHERE k = 2");
        clock.now = due.minusMillis(1);
        try (TestHost second = TestHost.started(folder, source, clock, config)) {
            await().untilAsserted(() -> assertThat(second.alarm()).hasValue(due));
            assertThat(second.query("SELECT verdict FROM tmp_replication_sweeps"))
                    .isEmpty();
        }
        clock.now = due;
        try (TestHost third = TestHost.started(folder, source, clock, config)) {
            await().until(() ->
                    third.query("SELECT verdict FROM tmp_replication_sweeps").equals(List.of(List.of("deleted"))));
            await().until(() -> third.alarm().equals(Optional.of(due.plus(HOUR))));
            assertThat(third.value("SELECT group_concat(k) FROM t")).isEqualTo("1");
        }
        host = TestHost.idle(folder, source);
    }

    /// Writers insert, delete and insert again while syncs and sweeps run. No row is gone from the copy that the source
    /// had all along, and in the end both are the same.
    @ParameterizedTest(name = "seed {0}")
    @CsvSource({"1, CURSOR", "2, XMIN", "3, CURSOR"})
    void rows_that_are_deleted_and_inserted_again_meanwhile_are_not_lost(long seed, Mode mode) throws Exception {
        postgres.execute("""
                CREATE TABLE t (k text PRIMARY KEY, n bigint NOT NULL);
                CREATE SEQUENCE s;
                INSERT INTO t SELECT 'fixed' || i, nextval('s') FROM generate_series(1, 500) i;
                INSERT INTO t SELECT 'moving' || i, nextval('s') FROM generate_series(1, 500) i""");
        follow("t", mode == Mode.XMIN ? "'mode':'xmin'" : "'cursorColumn':'n'");
        CountDownLatch written = new CountDownLatch(2);
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        for (int writer = 0; writer < 2; writer++) {
            Random random = new Random(seed * 10 + writer);
            Thread.ofVirtual().start(() -> {
                try (Connection connection = postgres.connect();
                        Statement statement = connection.createStatement()) {
                    connection.setAutoCommit(false);
                    for (int i = 0; i < 250; i++) {
                        for (int j = random.nextInt(3); j >= 0; j--) {
                            String key = "moving" + (1 + random.nextInt(500));
                            statement.execute(
                                    random.nextBoolean()
                                            ? "DELETE FROM t WHERE k = '%s'".formatted(key)
                                            : "INSERT INTO t VALUES ('%s', nextval('s')) ON CONFLICT (k) DO UPDATE SET n = nextval('s')"
                                                    .formatted(key));
                        }
                        try {
                            if (random.nextInt(10) == 0) connection.rollback();
                            else connection.commit();
                        } catch (SQLException e) {
                            connection.rollback(); // the two met in a deadlock
                        }
                    }
                } catch (SQLException e) {
                    if (!"40P01".equals(e.getSQLState())) failures.add(e);
                } finally {
                    written.countDown();
                }
            });
        }
        int sweeps = 0;
        long deleted = 0;
        while (written.getCount() > 0 || sweeps < 3) {
            if (sweeps++ % 2 == 0) host.plugin.syncTable("t").join();
            source.isUncounted = sweeps % 3 == 0;
            JsonNode sweep = sweep("t", "");
            assertThat(sweep.has("error")).isFalse();
            deleted += sweep.get("deleted").asLong();
            assertThat(host.value("SELECT count(*) FROM t WHERE k LIKE 'fixed%'"))
                    .isEqualTo("500");
            assertThat(host.value("SELECT row_count = (SELECT count(*) FROM t) FROM tmp_replication_state"))
                    .isEqualTo("1");
        }
        assertThat(failures).isEmpty();
        assertThat(deleted).as("rows deleted meanwhile").isPositive();
        host.plugin.syncTable("t").join();
        sweep("t", "");
        assertSame("t", "n");
    }

    private void loaded(int rows) {
        postgres.execute("CREATE TABLE t (k bigint PRIMARY KEY, n bigint NOT NULL)");
        postgres.execute("INSERT INTO t SELECT i, i FROM generate_series(1, %d) i".formatted(rows));
        follow("t", "'cursorColumn':'n'");
    }

    private void follow(String table, String fields) {
        host.post("/tables", "{'name':'%s','deletes':'sweep(1h)',%s}".formatted(table, fields))
                .result();
        SyncResult result = host.plugin.syncTable(table).join();
        result.error().ifPresent(error -> fail(error.message()));
    }

    private JsonNode sweep(String table, String body) {
        return host.post("/tables/" + table + "/sweep", body).result().get("sweep");
    }

    private JsonNode status() {
        return host.get("/status/t").result();
    }

    private long number(String table, String field) {
        return host.get("/status/" + table).result().get("sweep").get(field).asLong();
    }

    private long rows() {
        return Long.parseLong(host.value("SELECT count(*) FROM t"));
    }

    private void reopen() {
        host.close();
        host = TestHost.idle(folder, source);
    }

    /// After a sync, the copy has the rows the source has, by the values of one column.
    private void assertSame(String table, String column) {
        SyncResult result = host.plugin.syncTable(table).join();
        result.error().ifPresent(error -> fail(error.message()));
        TreeSet<String> copied = new TreeSet<>();
        host.query("SELECT %s FROM %s".formatted(column, table)).forEach(row -> copied.add(row.getFirst()));
        TreeSet<String> there = new TreeSet<>();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT %s FROM %s".formatted(column, table))) {
            while (rows.next()) there.add(rows.getString(1));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        assertThat(copied).isEqualTo(there);
    }
}
