package dev.perigee.replication.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableSettings;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.TestHost;
import dev.perigee.replication.check.Recheck.Fixes;
import dev.perigee.replication.check.Recheck.Found;
import dev.perigee.replication.copy.StoredKey;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.replication.sync.SyncListener;
import dev.perigee.replication.sync.TableSync;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rows that seemed to differ, looked at again, with a real PostgreSQL.
class RecheckTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private PostgresSource source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
        host = TestHost.idle(folder, source);
    }

    @AfterEach
    void stop() {
        host.close();
        source.close();
        postgres.close();
    }

    /// Keys of each kind: one that is the rowid, ones the source reads from the copy's text, and ones it cannot read.
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            bigint               | i
            text                 | md5(i::text)
            uuid                 | lpad(to_hex(i), 32, '0')::uuid
            float8               | i / 2.0
            numeric              | 12345678901234567890 + i
            bytea                | int4send(i::int)
            timestamptz          | to_timestamp(i)
            int4range            | int4range(i::int, i::int + 5)
            """)
    void what_differs_is_found_and_just_that_is_brought_in_line(String type, String expression) {
        postgres.execute("""
                CREATE TABLE t (k %s PRIMARY KEY, c int NOT NULL, v text);
                INSERT INTO t SELECT %s, i, 'v' || i FROM generate_series(1, 1200) i
                """.formatted(type, expression));
        TableConfig config = TableSettings.read(
                        Map.of("name", "t", "cursorColumn", "c", "timestamps", "epoch_micros"),
                        Optional.empty(),
                        (field, mistake) -> fail(field + mistake))
                .orElseThrow();
        sync(config);
        List<StoredKey> all = keys("SELECT k FROM t");
        assertThat(look(config, all, Fixes.NONE)).isEqualTo(new Found(0, 0, 0, 0, 1200));

        host.execute("UPDATE t SET v = NULL WHERE c = 7; DELETE FROM t WHERE c = 3;"
                + "UPDATE tmp_replication_state SET row_count = row_count - 1");
        postgres.execute("DELETE FROM t WHERE c = 5");
        assertThat(look(config, all, Fixes.NONE)).isEqualTo(new Found(1, 1, 1, 0, 1197));
        assertThat(look(config, all, Fixes.DELETES)).isEqualTo(new Found(1, 1, 1, 0, 1197));
        assertThat(look(config, all, Fixes.ALL)).isEqualTo(new Found(1, 1, 0, 0, 1198));
        assertThat(look(config, all, Fixes.NONE)).isEqualTo(new Found(0, 0, 0, 0, 1200));
        assertThat(host.value("SELECT count(*) || ' ' || sum(v = 'v' || c) FROM t"))
                .isEqualTo("1199 1199");
        assertThat(host.value("SELECT row_count FROM tmp_replication_state")).isEqualTo("1199");
    }

    @Test
    void a_row_that_the_next_sync_fetches_is_pending_and_left_to_it() {
        postgres.execute("""
                CREATE TABLE t (a text, b int, c bigint, v text, PRIMARY KEY (a, b));
                INSERT INTO t SELECT 'a', i, i, 'old' FROM generate_series(1, 20) i""");
        TableConfig config = TableConfig.of("t", "c", Duration.ofHours(1)).toBuilder()
                .settle(Duration.ZERO)
                .build();
        // Until what was there at first is sealed: rows below that are not looked at again.
        await().until(() -> {
            sync(config);
            TableState state = host.store
                    .read(Duration.ofSeconds(10), tx -> StateRecords.find(tx, "t"))
                    .orElseThrow();
            return !state.outcome().sealing().isOpen(state.pulled().cursor().orElseThrow());
        });
        List<StoredKey> all = keys("SELECT a, b FROM t");
        postgres.execute("""
                UPDATE t SET v = 'new', c = 100 WHERE b = 1;
                UPDATE t SET v = 'new' WHERE b = 2;
                UPDATE t SET v = 'new', c = NULL WHERE b = 3""");
        Found found = look(config, all, Fixes.ALL);
        assertThat(found).isEqualTo(new Found(0, 1, 0, 2, 17));
        assertThat(host.value("SELECT group_concat(b) FROM t WHERE v = 'new'")).isEqualTo("2");
    }

    @Test
    void without_an_answer_nothing_is_removed() {
        postgres.execute("CREATE TABLE t (k int PRIMARY KEY, c int NOT NULL); INSERT INTO t VALUES (1, 1), (2, 2)");
        TableConfig config = TableConfig.of("t", "c", Duration.ofHours(1));
        sync(config);
        List<StoredKey> all = keys("SELECT k FROM t");
        postgres.execute("DROP TABLE t");
        assertThatThrownBy(() -> look(config, all, Fixes.ALL))
                .isInstanceOfSatisfying(
                        PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(Fault.SOURCE_TABLE_MISSING));
        postgres.execute("CREATE TABLE t (k int PRIMARY KEY, c text NOT NULL)");
        assertThatThrownBy(() -> look(config, all, Fixes.ALL))
                .isInstanceOfSatisfying(
                        PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(Fault.SOURCE_SCHEMA_CHANGED));
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("2");
    }

    private void sync(TableConfig config) {
        assertThat(new TableSync(host.store, source)
                        .run(config, SyncListener.NONE)
                        .error())
                .isEmpty();
    }

    private Found look(TableConfig config, List<StoredKey> keys, Fixes fixes) {
        return new Recheck(host.store, source).look(config, keys, fixes, new SyncCancellation());
    }

    private List<StoredKey> keys(String sql) {
        return host.store.read(Duration.ofSeconds(10), tx -> {
            List<StoredKey> keys = new ArrayList<>();
            SqliteStatement rows = tx.statement(sql);
            while (rows.step()) keys.add(StoredKey.of(rows, rows.columnCount()));
            return keys;
        });
    }
}
