package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.StoreConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.sync.SyncListener;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.TableSync;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.ChildJvm;
import dev.perigee.store.Store;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Kills a syncing process with SIGKILL at random moments while the source is written to. After each kill the copy must
/// be what the source had up to the recorded cursor; in the end, with the writer still, it must equal the source.
class SyncCrashTest {
    private static final int KILLS = 20;
    private static final int FIRST_ROWS = 20_000;
    private static final Duration LIMIT = Duration.ofSeconds(30);

    /// A row as of its cursor value.
    private record Version(long cursor, String text) {}

    @TempDir
    Path folder;

    static TableConfig table() {
        return TableConfig.of("crash", "c", Duration.ofSeconds(1)).toBuilder()
                .pageRows(100)
                .build();
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void twenty_kills_in_the_middle_of_syncs_leave_a_prefix_each_time_and_lose_nothing() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("""
                    CREATE SEQUENCE stamp;
                    CREATE TABLE crash (id bigint PRIMARY KEY, c bigint NOT NULL DEFAULT nextval('stamp'), v text);
                    CREATE INDEX ON crash (c);
                    INSERT INTO crash (id, v) SELECT i, md5(i::text) FROM generate_series(1, %d) i
                    """.formatted(FIRST_ROWS));
            AtomicBoolean isOpen = new AtomicBoolean(true);
            Thread writer = Thread.ofPlatform().start(() -> write(postgres, isOpen, new Random(seed)));
            try {
                for (int kill = 1; kill <= KILLS; kill++) {
                    killInTheMiddle(postgres, 1 + random.nextInt(60), random.nextInt(3000));
                    check(postgres, "seed %d, kill %d".formatted(seed, kill));
                }
            } finally {
                isOpen.set(false);
                writer.join();
            }
            try (Store store = Store.open(StoreConfig.of(folder));
                    Source source = new PostgresSource(postgres.config())) {
                SyncResult last = new TableSync(store, source).run(table(), SyncListener.NONE);
                assertThat(last.error()).isEmpty();
                assertThat(copy(store)).as("seed %d", seed).isEqualTo(rows(postgres));
            }
        }
    }

    private void killInTheMiddle(TestPostgres postgres, int pages, int micros) throws Exception {
        try (ChildJvm child = new ChildJvm(
                SyncForever.class, folder.toString(), Integer.toString(postgres.port()), postgres.database())) {
            for (int i = 0; i < pages; i++) assertThat(child.next("PAGE")).isNotNull();
            TimeUnit.MICROSECONDS.sleep(micros);
            child.kill();
        }
    }

    private void check(TestPostgres postgres, String what) throws SQLException {
        try (Store store = Store.open(StoreConfig.of(folder))) {
            assertThat(store.integrityCheck(LIMIT)).as(what).isEmpty();
            Map<Long, Version> source = rows(postgres);
            Map<Long, Version> copy = copy(store);
            long cursor = Long.parseLong(text(store, "SELECT cursor FROM tmp_replication_state"));
            copy.forEach((id, version) -> {
                assertThat(version.cursor())
                        .as("%s: row %d is up to the cursor", what, id)
                        .isLessThanOrEqualTo(cursor);
                assertThat(source).as("%s: row %d is the source's", what, id).containsKey(id);
            });
            source.forEach((id, version) -> {
                if (version.cursor() > cursor) return; // changed again since
                assertThat(copy.get(id))
                        .as("%s: row %d is in the copy", what, id)
                        .isEqualTo(version);
            });
            assertThat(text(store, "SELECT row_count FROM tmp_replication_state"))
                    .as(what)
                    .isEqualTo(Integer.toString(copy.size()));
            assertThat(text(store, "SELECT cursor FROM tmp_replication_runs WHERE pages > 0 ORDER BY id DESC LIMIT 1"))
                    .as("%s: the run's record agrees", what)
                    .isEqualTo(Long.toString(cursor));
        }
    }

    /// One writer: its values are visible in their own order, which is what this version asks of a cursor.
    private static void write(TestPostgres postgres, AtomicBoolean isOpen, Random random) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            long next = FIRST_ROWS + 1;
            while (isOpen.get()) {
                int inserts = random.nextInt(8); // After each kill all rows are compared: they stay few.
                statement.execute("""
                        INSERT INTO crash (id, v) SELECT i, md5(i::text) FROM generate_series(%d, %d) i;
                        UPDATE crash SET v = v || '.', c = nextval('stamp') WHERE id %% 997 = %d
                        """.formatted(next, next + inserts - 1, random.nextInt(997)));
                next += inserts;
                TimeUnit.MILLISECONDS.sleep(5);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException _) {
            // the test is over
        }
    }

    private static Map<Long, Version> rows(TestPostgres postgres) throws SQLException {
        Map<Long, Version> rows = new HashMap<>();
        try (Connection connection = postgres.connect();
                ResultSet row = connection.createStatement().executeQuery("SELECT id, c, v FROM crash")) {
            while (row.next()) rows.put(row.getLong(1), new Version(row.getLong(2), row.getString(3)));
        }
        return rows;
    }

    private static Map<Long, Version> copy(Store store) {
        return store.read(LIMIT, tx -> {
            Map<Long, Version> rows = new HashMap<>();
            SqliteStatement row = tx.statement("SELECT id, c, v FROM crash");
            while (row.step()) rows.put(row.intAt(0), new Version(row.intAt(1), row.textAt(2)));
            return rows;
        });
    }

    private static String text(Store store, String sql) {
        return store.read(LIMIT, tx -> {
            SqliteStatement row = tx.statement(sql);
            row.step();
            return row.textAt(0);
        });
    }
}
