package dev.perigee.hazards;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.StoreConfig;
import dev.perigee.replication.sync.SyncListener;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.ChildJvm;
import dev.perigee.store.Store;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// SIGKILL between any two writes, while transactions stay open over kills and commit late.
class KillTest {
    private static final int KILLS = 6;

    @TempDir
    Path folder;

    @Test
    void late_rows_survive_kills_at_any_moment() throws Exception {
        long seed = Long.getLong("hazard.seed", System.nanoTime());
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        try (TestPostgres postgres = TestPostgres.create();
                Session early = new Session(postgres.connect());
                Session late = new Session(postgres.connect())) {
            postgres.execute(LateHazards.NOW + "INSERT INTO t (v) SELECT i::text FROM generate_series(1, 300) i");
            early.run("INSERT INTO t (v) VALUES ('early')");
            for (int kill = 0; kill < KILLS; kill++) {
                late.run("INSERT INTO t (v) SELECT 'late' FROM generate_series(1, 45)");
                String[] args = {folder.toString(), Integer.toString(postgres.port()), postgres.database()};
                try (ChildJvm child = new ChildJvm(FollowForever.class, args)) {
                    for (int i = random.nextInt(3); i > 0; i--)
                        assertThat(child.next("SYNC")).isNotNull();
                    postgres.execute("INSERT INTO t (v) SELECT 'other' FROM generate_series(1, 70)");
                    late.commit();
                    for (int i = random.nextInt(4); i > 0; i--)
                        assertThat(child.next("PAGE")).isNotNull();
                    TimeUnit.MICROSECONDS.sleep(random.nextInt(20_000));
                    child.kill();
                }
            }
            early.commit();
            try (Store store = Store.open(StoreConfig.of(folder));
                    Source source = new PostgresSource(postgres.config())) {
                assertThat(FollowForever.sync(store, source, SyncListener.NONE).error())
                        .isEmpty();
                assertThat(copy(store)).as("seed %d", seed).isEqualTo(rows(postgres));
            }
        }
    }

    private static Map<Long, String> rows(TestPostgres postgres) throws Exception {
        Map<Long, String> rows = new TreeMap<>();
        try (Connection connection = postgres.connect();
                ResultSet row = connection.createStatement().executeQuery("SELECT id, v FROM t")) {
            while (row.next()) rows.put(row.getLong(1), row.getString(2));
        }
        return rows;
    }

    private static Map<Long, String> copy(Store store) {
        return store.read(Duration.ofSeconds(30), tx -> {
            Map<Long, String> rows = new TreeMap<>();
            SqliteStatement row = tx.statement("SELECT id, v FROM t");
            while (row.step()) rows.put(row.intAt(0), row.textAt(1));
            return rows;
        });
    }
}
