package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.LogSlots;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Mode `log`: the copies follow the write-ahead log of a real PostgreSQL.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class LogModeTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private Source source;

    @BeforeEach
    void open() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
    }

    @AfterEach
    void close() throws Exception {
        source.close();
        LogSlots.dropAll(postgres);
        postgres.close();
    }

    @Test
    void rows_changed_in_every_way_reach_the_copy_without_a_sync() throws Exception {
        postgres.execute("""
                CREATE TABLE t (id int PRIMARY KEY, v text, big text);
                INSERT INTO t SELECT i, 'v' || i, repeat(md5(i::text), 200) FROM generate_series(1, 5) i;
                """);
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
            postgres.execute("INSERT INTO t VALUES (6, 'six', NULL)");
            postgres.execute("UPDATE t SET v = 'changed' WHERE id IN (1, 2)");
            postgres.execute("UPDATE t SET id = 30 WHERE id = 3");
            postgres.execute("DELETE FROM t WHERE id = 4");
            awaitEqual(host, "t");
            assertThat(host.value("SELECT row_count FROM tmp_replication_state"))
                    .isEqualTo("5");
            assertThat(host.value("SELECT length(big) FROM t WHERE id = 30")).isEqualTo("6400");
            postgres.execute("BEGIN; TRUNCATE t; INSERT INTO t VALUES (7, 'seven', NULL); COMMIT");
            awaitEqual(host, "t");
            assertThat(runs(host)).as("only the first copy is a sync").isEqualTo(1);
        }
    }

    @Test
    void after_a_restart_the_log_is_continued_and_nothing_is_read_again() throws Exception {
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
        }
        postgres.execute("UPDATE t SET v = 'b'; INSERT INTO t VALUES (2, 'c')");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
            assertThat(runs(host)).isEqualTo(1);
        }
    }

    @Test
    void writers_that_do_not_pause_lose_nothing_while_tables_start_one_after_another() throws Exception {
        postgres.execute("""
                CREATE TABLE a (id bigserial PRIMARY KEY, v int);
                CREATE TABLE b (id bigserial PRIMARY KEY, v int);
                INSERT INTO a (v) SELECT i FROM generate_series(1, 20000) i;
                INSERT INTO b (v) SELECT i FROM generate_series(1, 20000) i;
                """);
        AtomicBoolean isOpen = new AtomicBoolean(true);
        List<Thread> writers = new ArrayList<>();
        for (int i = 0; i < 3; i++) writers.add(Thread.ofPlatform().start(() -> write(isOpen)));
        try (TestHost host = TestHost.started(folder, source, log("a"))) {
            await().until(() -> isLoaded(host, "a"));
            host.post("/tables", "{'name': 'b', 'mode': 'log'}").result();
            await().until(() -> isLoaded(host, "b"));
            isOpen.set(false);
            for (Thread writer : writers) writer.join();
            awaitEqual(host, "a");
            awaitEqual(host, "b");
        } finally {
            isOpen.set(false);
        }
    }

    @Test
    void a_changed_definition_is_followed_and_no_value_is_lost() throws Exception {
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
            postgres.execute("""
                    ALTER TABLE t ADD COLUMN w int NOT NULL DEFAULT 7;
                    INSERT INTO t VALUES (3, 'c', 8);
                    ALTER TABLE t RENAME COLUMN v TO x;
                    UPDATE t SET x = 'changed', w = 9 WHERE id = 1;
                    """);
            awaitEqual(host, "t");
            postgres.execute("ALTER TABLE t ALTER COLUMN w TYPE text USING 'n' || w; DELETE FROM t WHERE id = 2");
            awaitEqual(host, "t");
            postgres.execute("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, x text, w text)");
            postgres.execute("INSERT INTO t VALUES (9, 'new', 'table')");
            awaitEqual(host, "t");
        }
    }

    @Test
    void a_lost_slot_is_noticed_and_the_rows_are_read_again() throws Exception {
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
        }
        LogSlots.dropAll(postgres);
        postgres.execute("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (3, 'c')");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
            postgres.execute("UPDATE t SET v = 'later'");
            awaitEqual(host, "t");
        }
    }

    @Test
    void changes_that_somebody_else_took_from_the_slot_are_noticed() throws Exception {
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
        }
        postgres.execute("UPDATE t SET v = 'taken'");
        postgres.execute("""
                SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots
                WHERE database = current_database()""");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
        }
    }

    @Test
    void the_last_table_that_is_removed_takes_slot_and_publication_with_it() throws Exception {
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
            host.post("/tables", "{'name': 'u', 'mode': 'log'}").result();
            await().until(() -> isLoaded(host, "u"));
            assertThat(LogSlots.count(postgres)).isEqualTo(1);
            host.call("DELETE", "/tables/t", "").result();
            postgres.execute("INSERT INTO u VALUES (1)");
            awaitEqual(host, "u");
            host.call("DELETE", "/tables/u", "").result();
            await().until(() -> LogSlots.count(postgres) == 0 && LogSlots.publications(postgres) == 0);
            assertThat(host.query("SELECT * FROM tmp_replication_log")).isEmpty();
        }
    }

    @Test
    void a_table_goes_from_one_mode_to_another_and_back_while_it_is_written() throws Exception {
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
            host.call("PATCH", "/tables/t", "{'mode': 'xmin', 'interval': '1s'}")
                    .result();
            postgres.execute("UPDATE t SET v = 'x' WHERE id = 1");
            awaitEqual(host, "t");
            await().until(() -> LogSlots.count(postgres) == 0);
            host.call("PATCH", "/tables/t", "{'mode': 'log'}").result();
            postgres.execute("DELETE FROM t WHERE id = 2");
            awaitEqual(host, "t");
        }
    }

    @Test
    void a_sync_that_is_asked_for_waits_until_the_log_is_applied_up_to_now() throws Exception {
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v int)");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
            // A sync that still runs would be joined, and may have read the source before.
            await().until(() ->
                    host.get("/status/t").result().get("state").stringValue().equals("idle"));
            for (int i = 0; i < 20; i++) {
                postgres.execute("INSERT INTO t VALUES (%1$d, %1$d)".formatted(i));
                host.plugin.syncTable("t").get();
                assertThat(host.value("SELECT count(*) FROM t")).isEqualTo(Integer.toString(i + 1));
            }
        }
    }

    @Test
    void a_copy_is_verified_while_the_log_is_held_back() throws Exception {
        postgres.execute(
                "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 100) i");
        try (TestHost host = TestHost.started(folder, source, log("t"))) {
            awaitEqual(host, "t");
            postgres.execute("UPDATE t SET v = v + 1; DELETE FROM t WHERE id > 90");
            assertThat(verdict(host, "{}")).isEqualTo("equal");
            host.execute("UPDATE t SET v = -1 WHERE id = 5");
            assertThat(verdict(host, "{'repair': true}")).isEqualTo("repaired");
            postgres.execute("UPDATE t SET v = v + 1");
            awaitEqual(host, "t");
        }
    }

    private static TableConfig log(String name) {
        return TableConfig.of(name, Mode.LOG, Duration.ofSeconds(1));
    }

    private void write(AtomicBoolean isOpen) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            while (isOpen.get()) {
                for (String table : List.of("a", "b")) {
                    statement.execute("INSERT INTO %s (v) VALUES (0)".formatted(table));
                    statement.execute(
                            "UPDATE %1$s SET v = v + 1 WHERE id = (SELECT max(id) - 5 FROM %1$s)".formatted(table));
                    statement.execute("DELETE FROM %1$s WHERE id = (SELECT min(id) FROM %1$s)".formatted(table));
                }
                connection.commit();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String verdict(TestHost host, String body) {
        return host.post("/tables/t/verify", body)
                .result()
                .get("proof")
                .get("verdict")
                .stringValue();
    }

    private static boolean isLoaded(TestHost host, String name) {
        return host.value("SELECT count(*) FROM tmp_replication_log_tables WHERE name = '%s'".formatted(name))
                .equals("1");
    }

    private static int runs(TestHost host) {
        return Integer.parseInt(host.value("SELECT count(*) FROM tmp_replication_runs"));
    }

    private void awaitEqual(TestHost host, String table) throws Exception {
        List<List<String>> wanted = rows(table);
        await().alias(table)
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(host.query("SELECT * FROM %s ORDER BY 1".formatted(table)))
                        .isEqualTo(wanted));
        await().until(() -> isLoaded(host, table)
                || !host.value("SELECT mode FROM tmp_replication_config").equals("log"));
    }

    private List<List<String>> rows(String table) throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT * FROM %s ORDER BY 1".formatted(table))) {
            List<List<String>> all = new ArrayList<>();
            while (rows.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++)
                    row.add(String.valueOf(rows.getString(i)));
                all.add(row);
            }
            return all;
        }
    }
}
