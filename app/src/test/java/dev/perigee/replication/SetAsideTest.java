package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.StoreConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.sync.SyncListener;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.TableSync;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.sqlite.SqliteLimit;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Rows that cannot be stored, on a real PostgreSQL.
class SetAsideTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private Source source;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
        postgres.execute("""
                CREATE TABLE t (id int PRIMARY KEY, c bigserial, v text);
                INSERT INTO t (id, v) SELECT i, 'v' || i FROM generate_series(1, 20) i""");
    }

    @AfterEach
    void stop() {
        source.close();
        postgres.close();
    }

    @Test
    void rows_that_an_admins_rules_refuse_are_set_aside_with_their_reason_and_all_others_go_on() {
        try (TestHost host = TestHost.idle(folder, source, table("t", "c", t -> t.pageRows(7)))) {
            assertThat(sync(host, "t").inserted()).isEqualTo(20);
            host.execute("""
                    CREATE UNIQUE INDEX one_v ON t (v);
                    CREATE TRIGGER no_bad BEFORE INSERT ON t WHEN new.v LIKE 'bad%'
                    BEGIN SELECT raise(ABORT, 'no bad rows'); END;
                    CREATE TRIGGER is_json BEFORE UPDATE ON t WHEN new.id = 3
                    BEGIN SELECT json(new.v); END""");
            postgres.execute("""
                    INSERT INTO t (id, v) SELECT i, CASE i WHEN 105 THEN 'v1' WHEN 110 THEN 'bad' ELSE 'v' || i END
                    FROM generate_series(101, 120) i;
                    UPDATE t SET v = 'no json', c = DEFAULT WHERE id = 3""");
            SyncResult second = sync(host, "t");
            assertThat(second.error()).isEmpty();
            assertThat(second.inserted()).isEqualTo(18);
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("38");
            assertThat(host.value("SELECT v FROM t WHERE id = 3"))
                    .as("the row as it was")
                    .isEqualTo("v3");
            JsonNode status = host.get("/status/t").result();
            assertThat(status.get("setAside").asInt()).isEqualTo(3);
            assertThat(status.get("guarantee").asString()).isEqualTo("incomplete(3)");
            assertThat(status.get("rowCount").asInt()).isEqualTo(38);
            JsonNode rows = host.get("/tables/t/set-aside").result().get("rows");
            assertThat(rows.get(0).get("key").toString()).isEqualTo("[\"105\"]");
            assertThat(rows.get(0).get("fault").asString()).isEqualTo("CONSTRAINT");
            assertThat(rows.get(0).get("source").get("v").asString()).isEqualTo("v1");
            assertThat(rows.get(1).get("message").asString()).contains("no bad rows");
            assertThat(rows.get(2).get("fault").asString()).isEqualTo("STATEMENT_INVALID");
            assertThat(host.exposed()).contains("perigee_replication_set_aside_rows{table=\"t\"} 3");

            // One is mended at the source, one is deleted there, and for one the rule goes.
            host.execute("DROP TRIGGER no_bad");
            postgres.execute("UPDATE t SET v = '{}', c = DEFAULT WHERE id = 3; DELETE FROM t WHERE id = 105");
            sync(host, "t");
            assertThat(setAside(host))
                    .as("it came with a page")
                    .containsExactly(List.of("[\"105\"]"), List.of("[\"110\"]"));
            JsonNode retried = host.post("/tables/t/set-aside/retry", "").result();
            assertThat(retried.get("before").asInt()).isEqualTo(2);
            assertThat(retried.get("setAside").asInt()).isZero();
            assertThat(host.value("SELECT v FROM t WHERE id = 110")).isEqualTo("bad");
            assertThat(host.get("/status/t").result().get("guarantee").asString())
                    .isEqualTo("settled(10s)");
        }
    }

    @Test
    void what_still_cannot_be_stored_stays_and_counts_its_tries() {
        try (TestHost host = TestHost.idle(folder, source, table("t", "c", t -> t))) {
            sync(host, "t");
            host.execute("CREATE TRIGGER never BEFORE INSERT ON t BEGIN SELECT raise(FAIL, 'never'); END");
            postgres.execute("INSERT INTO t (id, v) VALUES (50, 'x')");
            sync(host, "t");
            sync(host, "t");
            assertThat(host.query("SELECT key, tries FROM tmp_replication_set_aside"))
                    .as("a minute passes before it is tried again")
                    .containsExactly(List.of("[\"50\"]", "1"));
            assertThat(host.post("/tables/t/set-aside/retry", "")
                            .result()
                            .get("setAside")
                            .asInt())
                    .isEqualTo(1);
            assertThat(host.query("SELECT key, tries FROM tmp_replication_set_aside"))
                    .containsExactly(List.of("[\"50\"]", "2"));
        }
        // It is remembered by the next start, and a fresh copy has no such trigger left.
        try (TestHost host = TestHost.idle(folder, source, table("t", "c", t -> t))) {
            assertThat(host.get("/status/t").result().get("setAside").asInt()).isEqualTo(1);
            host.execute("DROP TRIGGER never");
            host.post("/tables/t/resync", "").result();
            assertThat(host.get("/status/t").result().get("setAside").asInt()).isZero();
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("21");
        }
    }

    /// Too large for a batch, and just small enough for one and then too large with SQLite's own bytes.
    @ParameterizedTest
    @ValueSource(ints = {200_000, 99_995})
    void a_value_over_the_replicas_limit_is_set_aside_with_its_beginning(int length) {
        postgres.execute("INSERT INTO t (id, v) VALUES (21, repeat('é', %d / 2)), (22, 'after')".formatted(length));
        try (Store store = Store.open(StoreConfig.of(folder))) {
            store.write(tx -> tx.connection().limit(SqliteLimit.LENGTH, 100_000));
            SyncResult result = new TableSync(store, source).run(table("t", "c", t -> t), SyncListener.NONE);
            assertThat(result.error()).isEmpty();
            assertThat(text(store, "SELECT count(*) || ' ' || max(v) || ' ' || max(id) FROM t"))
                    .isEqualTo("21 v9 22");
            assertThat(text(store, "SELECT key || ' ' || fault FROM tmp_replication_set_aside"))
                    .isEqualTo("[\"21\"] " + (length > 100_000 ? "VALUE_UNSTORABLE" : "TOO_LARGE"));
            assertThat(text(store, """
                    SELECT source_text ->> '$.id' || ' ' || length(source_text ->> '$.v.begin') || ' ' ||
                           (source_text ->> '$.v.bytes') FROM tmp_replication_set_aside""")).isIn("21 8192 " + length / 2 * 2, "21 16384 " + length / 2 * 2);
            assertThat(text(store, "SELECT cursor FROM tmp_replication_state")).isEqualTo("22");
        }
    }

    /// A database that does not know its encoding takes any bytes for text, and its names too.
    @ParameterizedTest
    @ValueSource(strings = {"cursor", "xmin", "full"})
    void texts_that_are_not_utf8_are_set_aside_and_tables_with_such_names_are_left_out(String mode) {
        try (TestPostgres ascii = TestPostgres.create("ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
                Source from = new PostgresSource(ascii.config())) {
            ascii.execute("""
                    CREATE TABLE t (k text PRIMARY KEY, v varchar(20), j jsonb, a text[], c bigserial);
                    INSERT INTO t (k, v) VALUES ('a', 'first');
                    CREATE TABLE good (id int);
                    DO $$ BEGIN
                        EXECUTE 'CREATE TABLE "b' || E'\\xff' || '" (id int)';
                        EXECUTE 'CREATE TABLE column_named (id int, "c' || E'\\xff' || '" int)';
                        EXECUTE 'CREATE INDEX "i' || E'\\xff' || '" ON t (v)';
                    END $$""");
            assertThat(from.discover()).extracting(table -> table.id().name()).containsExactly("good", "t");
            TableConfig config = switch (mode) {
                case "xmin" -> TableConfig.of("t", TableConfig.Mode.XMIN, Duration.ofHours(1));
                case "full" -> TableConfig.of("t", TableConfig.Mode.FULL, Duration.ofHours(1));
                default -> TableConfig.of("t", "c", Duration.ofHours(1));
            };
            try (TestHost host = TestHost.idle(folder, from, config)) {
                assertThat(sync(host, "t").inserted()).isEqualTo(1);
                ascii.execute("""
                        INSERT INTO t (k, v) VALUES ('b', E'latin \\xe9'), ('é', 'in UTF-8: é');
                        INSERT INTO t (k, a) VALUES ('c', ARRAY[E'\\xe9', 'x']);
                        INSERT INTO t (k, j) VALUES ('d', '{"a": 1}'), ('e', ('"' || E'\\xff' || '"')::jsonb);
                        INSERT INTO t (k, v) VALUES (E'key \\xff', 'z')""");
                SyncResult result = sync(host, "t");
                assertThat(result.error()).isEmpty();
                assertThat(host.query("SELECT k, coalesce(v, j) FROM t WHERE k <> 'a' ORDER BY k"))
                        .containsExactly(List.of("d", "{\"a\": 1}"), List.of("é", "in UTF-8: é"));
                assertThat(
                                host.query(
                                        "SELECT fault, source_text ->> '$.v' FROM tmp_replication_set_aside WHERE key = '[\"b\"]'"))
                        .containsExactly(List.of("VALUE_UNSTORABLE", "\\x6c6174696e20e9"));
                assertThat(host.get("/status/t").result().get("setAside").asInt())
                        .isEqualTo(4);
                ascii.execute("UPDATE t SET v = 'mended', c = DEFAULT WHERE k = 'b'; INSERT INTO t (k) VALUES ('zz')");
                assertThat(sync(host, "t").error()).isEmpty();
                assertThat(host.value("SELECT v FROM t WHERE k = 'b'")).isEqualTo("mended");
                assertThat(host.get("/status/t").result().get("setAside").asInt())
                        .isEqualTo(3);
            }
        }
    }

    @Test
    void rows_set_aside_go_with_their_copy_when_the_table_is_renamed() {
        try (TestHost host = TestHost.idle(folder, source, table("t", "c", t -> t))) {
            sync(host, "t");
            host.execute("CREATE UNIQUE INDEX one_v ON t (v)");
            postgres.execute("INSERT INTO t (id, v) VALUES (105, 'v1')");
            sync(host, "t");
            assertThat(setAside(host)).hasSize(1);
            postgres.execute("ALTER TABLE t RENAME TO moved");
            host.post("/tables", "{'name': 'moved', 'cursorColumn': 'c', 'target': 't'}")
                    .result();
            assertThat(host.get("/status/moved").result().get("setAside").asInt())
                    .isEqualTo(1);
            assertThat(sync(host, "moved").error()).isEmpty();
            assertThat(host.get("/status/moved").result().get("guarantee").asString())
                    .isEqualTo("incomplete(1)");
            host.execute("DROP INDEX one_v");
            host.post("/tables/moved/set-aside/retry", "").result();
            assertThat(host.value("SELECT v FROM t WHERE id = 105")).isEqualTo("v1");
        }
    }

    @Test
    void a_row_without_a_key_and_rows_that_share_one_are_set_aside() {
        postgres.execute("""
                CREATE TABLE k (a int, b text, c int NOT NULL);
                INSERT INTO k VALUES (1, 'one', 1), (NULL, 'none', 1), (2, 'first', 2), (2, 'second', 3), (3, 'x', 4),
                    (NULL, 'last', 9)""");
        try (TestHost host = TestHost.idle(folder, source, table("k", "c", t -> t.key(List.of("a"))))) {
            assertThat(sync(host, "k").error()).isEmpty();
            assertThat(host.query("SELECT a, b FROM k ORDER BY a"))
                    .containsExactly(List.of("1", "one"), List.of("2", "first"), List.of("3", "x"));
            assertThat(host.query("""
                    SELECT key, fault, source_text ->> '$.b' FROM tmp_replication_set_aside ORDER BY 3"""))
                    .containsExactly(
                            List.of("null", "KEY_MISSING", "last"),
                            List.of("null", "KEY_MISSING", "none"),
                            List.of("[\"2\"]", "KEY_MISSING", "second"));
            sync(host, "k");
            assertThat(host.get("/status/k").result().get("setAside").asInt()).isEqualTo(3);
            // One of two is written again: that does not make the other one stored.
            postgres.execute("UPDATE k SET b = 'again', c = 10 WHERE b = 'first'");
            sync(host, "k");
            assertThat(host.get("/status/k").result().get("setAside").asInt()).isEqualTo(3);
            postgres.execute("DELETE FROM k WHERE b IN ('second', 'none'); UPDATE k SET a = 4 WHERE b = 'last'");
            JsonNode retried = host.post("/tables/k/set-aside/retry", "").result();
            assertThat(retried.get("setAside").asInt()).isZero();
        }
    }

    /// After the first load nothing in a single row says whether it replaces the one with its key or is another.
    @ParameterizedTest
    @ValueSource(strings = {"cursor", "xmin", "full", "group", "view", "array"})
    void rows_that_come_later_and_share_a_key_are_set_aside_in_every_mode(String mode) {
        boolean isArray = mode.equals("array");
        String type = isArray ? "int[]" : "text";
        postgres.execute("""
                CREATE TABLE base (k %s NOT NULL, b text, c bigserial);
                INSERT INTO base (k, b) SELECT %s, 'first' FROM generate_series(1, 50) i""".formatted(type, isArray ? "ARRAY[i]" : "i::text"));
        postgres.execute(mode.equals("view") ? "CREATE VIEW k AS SELECT * FROM base" : "ALTER TABLE base RENAME TO k");
        String written = mode.equals("view") ? "base" : "k";
        String shared = isArray ? "{7}" : "7";
        TableConfig config = switch (mode) {
            case "xmin" -> TableConfig.of("k", TableConfig.Mode.XMIN, Duration.ofHours(1));
            case "full" -> TableConfig.of("k", TableConfig.Mode.FULL, Duration.ofHours(1));
            default -> TableConfig.of("k", "c", Duration.ofHours(1));
        };
        var builder = config.toBuilder().key(List.of("k"));
        if (mode.equals("group")) builder.group("g");
        try (TestHost host = TestHost.idle(folder, source, builder.build())) {
            assertThat(sync(host, "k").inserted()).isEqualTo(50);
            sync(host, "k");
            assertThat(host.get("/status/k").result().get("setAside").asInt()).isZero();
            postgres.execute(
                    "INSERT INTO %1$s (k, b) VALUES ('%2$s', 'second'), ('%2$s', 'third')".formatted(written, shared));
            for (int time = 1; time <= 2; time++) {
                assertThat(sync(host, "k").error()).isEmpty();
                JsonNode status = host.get("/status/k").result();
                assertThat(status.get("setAside").asInt()).as("sync %d", time).isEqualTo(1);
                assertThat(status.get("guarantee").asString()).isEqualTo("incomplete(1)");
                assertThat(host.value("SELECT count(*) || ' ' || min(fault) FROM k, tmp_replication_set_aside"))
                        .isEqualTo("50 KEY_MISSING");
            }
            postgres.execute("DELETE FROM %s WHERE b <> 'first' AND k = '%s'".formatted(written, shared));
            sync(host, "k");
            assertThat(host.get("/status/k").result().get("setAside").asInt()).isZero();
            if (!isArray)
                assertThat(host.value("SELECT b FROM k WHERE k = '7'")).isEqualTo("first");
        }
    }

    /// Different in the copy, where texts are told apart by their case.
    @Test
    void rows_whose_keys_only_the_source_takes_for_the_same_are_all_in_the_copy() {
        postgres.execute("""
                CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                CREATE TABLE k (k text COLLATE ci NOT NULL, c bigserial); INSERT INTO k (k) VALUES ('a'), ('A'), ('b')""");
        try (TestHost host = TestHost.idle(folder, source, table("k", "c", t -> t.key(List.of("k"))))) {
            sync(host, "k");
            assertThat(sync(host, "k").error()).isEmpty();
            assertThat(host.value("SELECT count(*) FROM k")).isEqualTo("3");
            assertThat(host.get("/status/k").result().get("setAside").asInt()).isZero();
        }
    }

    @Test
    void a_group_is_merged_without_the_row_and_a_fresh_copy_takes_what_it_could_not_store_with_it() {
        postgres.execute("CREATE TABLE u (id int PRIMARY KEY, c bigserial, v text); INSERT INTO u (id) VALUES (1)");
        try (TestHost host =
                TestHost.idle(folder, source, table("t", "c", t -> t.group("g")), table("u", "c", t -> t.group("g")))) {
            sync(host, "t");
            host.execute("CREATE UNIQUE INDEX one_v ON t (v)");
            postgres.execute("""
                    INSERT INTO t (id, v) VALUES (31, 'v1'), (32, 'fine'); UPDATE t SET v = 'v4', c = DEFAULT WHERE id = 5;
                    INSERT INTO u (id) VALUES (2)""");
            SyncResult result = sync(host, "t");
            assertThat(result.error()).isEmpty();
            assertThat(result.inserted()).isEqualTo(1);
            assertThat(host.value("SELECT (SELECT count(*) FROM t) || ' ' || (SELECT count(*) FROM u)"))
                    .isEqualTo("21 2");
            assertThat(setAside(host)).containsExactly(List.of("[\"31\"]"), List.of("[\"5\"]"));
            postgres.execute("UPDATE t SET v = 'other', c = DEFAULT WHERE id = 31");
            sync(host, "t");
            assertThat(setAside(host)).containsExactly(List.of("[\"5\"]"));
            assertThat(host.value("SELECT sum(pending) FROM tmp_replication_set_aside"))
                    .isEqualTo("0");
        }
    }

    @Test
    void more_rows_than_the_limit_fail_the_table_by_name() {
        try (TestHost host = TestHost.idle(folder, source, table("t", "c", t -> t))) {
            sync(host, "t");
            host.execute("CREATE TRIGGER never BEFORE INSERT ON t BEGIN SELECT raise(ABORT, 'never'); END");
            postgres.execute("INSERT INTO t (id, v) SELECT i, 'x' FROM generate_series(100, 1400) i");
            SyncResult result = sync(host, "t");
            assertThat(result.error()).hasValueSatisfying(error -> {
                assertThat(error.fault()).isEqualTo("SET_ASIDE_FULL");
                assertThat(error.message()).contains("more than 1000", "CONSTRAINT");
            });
            assertThat(host.get("/status/t").result().get("guarantee").asString())
                    .isEqualTo("behind");
        }
    }

    @Test
    void a_full_disk_or_a_rule_that_names_what_is_not_there_is_no_fault_of_a_row() {
        try (TestHost host = TestHost.idle(folder, source, table("t", "c", t -> t))) {
            sync(host, "t");
            host.execute("PRAGMA max_page_count = 1"); // that is: as many as there are
            postgres.execute("INSERT INTO t (id, v) SELECT i, repeat('x', 2000) FROM generate_series(100, 500) i");
            assertThat(sync(host, "t").error())
                    .hasValueSatisfying(error -> assertThat(error.fault()).isEqualTo("DISK_FULL"));
            host.execute("PRAGMA max_page_count = 1000000");
            assertThat(host.query("SELECT 1 FROM tmp_replication_set_aside")).isEmpty();
            host.execute("CREATE TRIGGER lost AFTER INSERT ON t BEGIN INSERT INTO nowhere VALUES (1); END");
            assertThat(sync(host, "t").error())
                    .hasValueSatisfying(error -> assertThat(error.fault()).isEqualTo("STATEMENT_INVALID"));
            host.execute("DROP TRIGGER lost");
            assertThat(sync(host, "t").inserted()).isEqualTo(401);
            assertThat(host.query("SELECT 1 FROM tmp_replication_set_aside")).isEmpty();
        }
    }

    private static SyncResult sync(TestHost host, String table) {
        return host.plugin.syncTable(table).join();
    }

    private static List<List<String>> setAside(TestHost host) {
        return host.query("SELECT key FROM tmp_replication_set_aside ORDER BY key");
    }

    private static TableConfig table(
            String name, String cursor, UnaryOperator<dev.perigee.config.TableConfigBuilder> more) {
        return more.apply(TableConfig.of(name, cursor, Duration.ofHours(1)).toBuilder())
                .build();
    }

    private static String text(Store store, String sql) {
        return store.read(Duration.ofSeconds(30), tx -> {
            SqliteStatement row = tx.statement(sql);
            row.step();
            return row.textAt(0);
        });
    }
}
