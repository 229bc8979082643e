package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.StoreConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.ChildJvm;
import dev.perigee.store.Store;
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
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Kills a process that follows the log with SIGKILL at random moments, while one writer makes a random history. Each
/// of the writer's transactions records in `sums` what the tables have at its end. So a copy of all tables shows by
/// itself whether it is what the source had after some commit. In the end it must equal the source.
class LogCrashTest {
    private static final int KILLS = Integer.getInteger("log.kills", 8);
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private static final String STATE = """
            SELECT (SELECT count(*) FROM t), (SELECT coalesce(sum(id), 0) FROM t), (SELECT coalesce(sum(v), 0) FROM t),
                (SELECT coalesce(sum(length(big)), 0) FROM t), (SELECT count(*) FROM u),
                (SELECT coalesce(sum(id * 31 + v), 0) FROM u)""";

    @TempDir
    Path folder;

    static List<TableConfig> tables() {
        return Stream.of("t", "u", "sums", "noise")
                .map(name -> TableConfig.of(name, Mode.LOG, Duration.ofSeconds(1)))
                .toList();
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void after_each_kill_the_copies_are_what_the_source_had_after_some_commit_and_nothing_is_lost() throws Exception {
        long seed = Long.getLong("log.seed", System.nanoTime());
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("""
                    CREATE TABLE t (id bigint PRIMARY KEY, v bigint, big text);
                    ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
                    CREATE TABLE u (id bigint PRIMARY KEY, v bigint);
                    ALTER TABLE u REPLICA IDENTITY FULL;
                    CREATE TABLE noise (id bigserial PRIMARY KEY);
                    CREATE TABLE sums (id int PRIMARY KEY, n bigint, a bigint, b bigint, c bigint, d bigint, e bigint, f bigint);
                    INSERT INTO t SELECT i, i, repeat('x', 3000) FROM generate_series(1, 200) i;
                    INSERT INTO u SELECT i, i FROM generate_series(1, 200) i;
                    INSERT INTO sums VALUES (1, 0);
                    UPDATE sums SET (a, b, c, d, e, f) = (%s);
                    """.formatted(STATE));
            AtomicBoolean isOpen = new AtomicBoolean(true);
            Thread writer = Thread.ofPlatform().start(() -> write(postgres, isOpen, new Random(seed)));
            Thread noise = Thread.ofPlatform().start(() -> noise(postgres, isOpen));
            try {
                for (int kill = 1; kill <= KILLS; kill++) {
                    try (ChildJvm child = new ChildJvm(
                            LogForever.class,
                            folder.toString(),
                            Integer.toString(postgres.port()),
                            postgres.database())) {
                        assertThat(child.next("UP")).isNotNull();
                        // Some are killed while their tables start, most while they apply the log.
                        int changes = kill % 4 == 1 ? 0 : 1 + random.nextInt(20);
                        for (int i = 0; i < changes; i++)
                            assertThat(child.next("AT")).isNotNull();
                        TimeUnit.MILLISECONDS.sleep(random.nextInt(200));
                        child.kill();
                    }
                    check("seed %d, kill %d".formatted(seed, kill));
                }
            } finally {
                isOpen.set(false);
                writer.join();
                noise.join();
            }
            try (Source source = new PostgresSource(postgres.config());
                    TestHost host = TestHost.started(folder, source, tables().toArray(TableConfig[]::new))) {
                for (String table : List.of("t", "u", "sums", "noise")) {
                    List<List<String>> wanted = rows(postgres, "SELECT * FROM %s ORDER BY id".formatted(table));
                    await().ignoreExceptions()
                            .untilAsserted(() -> assertThat(host.query("SELECT * FROM %s ORDER BY id".formatted(table)))
                                    .as("seed %d: %s", seed, table)
                                    .isEqualTo(wanted));
                    assertThat(host.value(
                                    "SELECT row_count FROM tmp_replication_state WHERE name = '%s'".formatted(table)))
                            .isEqualTo(Integer.toString(wanted.size()));
                }
            } finally {
                LogSlots.dropAll(postgres);
            }
        }
    }

    /// Until all tables have started, each is only a prefix of its own.
    private void check(String what) {
        try (Store store = Store.open(StoreConfig.of(folder))) {
            assertThat(store.integrityCheck(LIMIT)).as(what).isEmpty();
            boolean isStarted = number(store, "SELECT count(*) FROM tmp_replication_log_tables") == tables().size()
                    && number(store, """
                            SELECT count(*) FROM tmp_replication_log_tables
                            WHERE shown_at > (SELECT position FROM tmp_replication_log)""") == 0;
            if (!isStarted) return;
            List<Long> has = numbers(store, STATE);
            List<Long> recorded = numbers(store, "SELECT a, b, c, d, e, f FROM sums");
            System.out.println(what + ": after transaction " + number(store, "SELECT n FROM sums"));
            assertThat(has).as(what).isEqualTo(recorded);
        }
    }

    private static void write(TestPostgres postgres, AtomicBoolean isOpen, Random random) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            while (isOpen.get()) {
                int changes = 1 + random.nextInt(5);
                for (int i = 0; i < changes; i++) change(statement, random);
                statement.execute("UPDATE sums SET n = n + 1, (a, b, c, d, e, f) = (%s)".formatted(STATE));
                if (random.nextInt(10) == 0) connection.rollback();
                else connection.commit();
                TimeUnit.MILLISECONDS.sleep(random.nextInt(50));
            }
        } catch (SQLException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void change(Statement statement, Random random) throws SQLException {
        int id = random.nextInt(1000);
        int fresh = 10_000 + random.nextInt(1_000_000);
        switch (random.nextInt(100)) {
            case 0 -> statement.execute("TRUNCATE " + (random.nextBoolean() ? "t" : "u"));
            case 1 -> statement.execute("TRUNCATE t, u");
            case 2, 3 ->
                statement.execute(
                        "INSERT INTO u SELECT %d + i, i FROM generate_series(1, 3000) i ON CONFLICT DO NOTHING"
                                .formatted(fresh));
            case 4, 5, 6 -> statement.execute("SAVEPOINT s; DELETE FROM t; UPDATE u SET v = -1; ROLLBACK TO s");
            case 7 -> statement.execute("DELETE FROM u WHERE id > 10000");
            default -> {
                String table = random.nextBoolean() ? "t" : "u";
                switch (random.nextInt(4)) {
                    case 0 ->
                        statement.execute("INSERT INTO %s (id, v) VALUES (%d, %d) ON CONFLICT DO NOTHING"
                                .formatted(table, id, random.nextInt(100)));
                    case 1 ->
                        statement.execute(
                                "UPDATE %s SET v = %d WHERE id = %d".formatted(table, random.nextInt(100), id));
                    case 2 -> statement.execute("""
                                UPDATE %1$s SET id = %2$d WHERE id = %3$d AND NOT EXISTS (SELECT 1 FROM %1$s WHERE id = %2$d)""".formatted(table, random.nextInt(1000), id));
                    default -> {
                        statement.execute("DELETE FROM %s WHERE id = %d".formatted(table, id));
                        statement.execute(
                                "INSERT INTO t VALUES (%d, 1, repeat('y', %d)) ON CONFLICT (id) DO UPDATE SET v = 2"
                                        .formatted(id, 2500 + random.nextInt(1000)));
                    }
                }
            }
        }
    }

    private static void noise(TestPostgres postgres, AtomicBoolean isOpen) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            while (isOpen.get()) {
                statement.execute("INSERT INTO noise DEFAULT VALUES");
                TimeUnit.MILLISECONDS.sleep(5);
            }
        } catch (SQLException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<List<String>> rows(TestPostgres postgres, String sql) throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
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

    private static long number(Store store, String sql) {
        return numbers(store, sql).getFirst();
    }

    private static List<Long> numbers(Store store, String sql) {
        return store.read(LIMIT, tx -> {
            SqliteStatement row = tx.statement(sql);
            row.step();
            List<Long> numbers = new ArrayList<>();
            for (int i = 0; i < row.columnCount(); i++) numbers.add(row.intAt(i));
            row.reset();
            return numbers;
        });
    }
}
