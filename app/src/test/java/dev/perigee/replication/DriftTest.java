package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.DroppedColumns;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// What becomes of a copy whose table is changed at the source, with a real PostgreSQL.
class DriftTest {
    private static final TableConfig BY_C = TableConfig.of("t", "c", Duration.ofHours(1));

    @TempDir
    Path folder;

    private TestPostgres postgres;
    private Source source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
        postgres.execute("""
                CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL, n numeric(10,2), c bigint NOT NULL);
                CREATE INDEX ON t (c);
                INSERT INTO t SELECT i, 'v' || i, i, i FROM generate_series(1, 1200) i""");
    }

    @AfterEach
    void stop() {
        if (host != null) host.close();
        source.close();
        postgres.close();
    }

    @Test
    void an_added_column_is_filled_for_the_rows_that_were_there_and_takes_null_although_the_source_does_not() {
        open(BY_C);
        postgres.execute("ALTER TABLE t ADD extra text NOT NULL DEFAULT 'x'; UPDATE t SET extra = 'own' WHERE id = 7;"
                + "INSERT INTO t VALUES (5000, 'new', 1, 5000, 'y')");
        assertThat(sync().error()).isEmpty();
        assertThat(rows("SELECT extra, count(*) FROM t GROUP BY 1 ORDER BY 1"))
                .containsExactly(List.of("own", "1"), List.of("x", "1199"), List.of("y", "1"));
        assertThat(host.value("SELECT \"notnull\" FROM pragma_table_info('t') WHERE name = 'extra'"))
                .isEqualTo("0");
        assertThat(status("guarantee")).isEqualTo("settled(10s)");
        assertThat(note()).contains("column \"extra\" was added");
        assertThat(host.value("SELECT generation FROM tmp_replication_state"))
                .as("no reload")
                .isEqualTo("0");
        assertSame();
    }

    @Test
    void a_dropped_column_of_a_table_without_a_key_that_is_fetched_whole_is_said_to_have_lost_its_values() {
        postgres.execute("ALTER TABLE t DROP CONSTRAINT t_pkey");
        open(TableConfig.of("t", TableConfig.Mode.FULL, Duration.ofHours(1)));
        postgres.execute("ALTER TABLE t DROP COLUMN v");
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT count(*) FROM t WHERE v IS NOT NULL")).isEqualTo("0");
        assertThat(status("notes"))
                .contains("column \\\"v\\\" was dropped at the source and is kept, without its values")
                .doesNotContain("rows have the value they had then");
    }

    /// SQLite numbers rows under that name too, unless a column has taken it.
    @Test
    void an_added_column_is_filled_beside_a_column_that_is_called_rowid_and_a_dropped_one_is_kept() {
        postgres.execute("ALTER TABLE t ADD rowid text NOT NULL DEFAULT 'r', ADD gone text NOT NULL DEFAULT 'g',"
                + " DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (v)");
        open(BY_C);
        postgres.execute("ALTER TABLE t ADD extra int DEFAULT 3");
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT count(*) FROM t WHERE extra = 3 AND rowid = 'r'"))
                .isEqualTo("1200");
        assertThat(status("guarantee")).doesNotContain("filling");
        postgres.execute("ALTER TABLE t DROP gone");
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT count(*) FROM t WHERE gone = 'g' AND rowid = 'r'"))
                .isEqualTo("1200");
        assertThat(host.value("SELECT generation FROM tmp_replication_state"))
                .as("no reload")
                .isEqualTo("0");
    }

    /// As many rows as a sync fills are more than a test wants, so the place where it stopped is written by hand.
    @Test
    void filling_goes_on_after_a_crash_and_until_then_the_status_says_so() {
        open(BY_C);
        postgres.execute("ALTER TABLE t ADD extra int DEFAULT 3");
        sync();
        host.execute("UPDATE t SET extra = NULL WHERE id > 600");
        host.execute(
                "UPDATE tmp_replication_drift SET backfill = '{\"columns\":[\"extra\"],\"after\":600,\"upTo\":1200,\"rows\":600}'");
        host.close();
        open(BY_C, false);
        assertThat(status("guarantee")).isEqualTo("filling(extra)");
        assertThat(status("notes")).contains("600 so far");
        sync();
        assertThat(host.value("SELECT count(*) FROM t WHERE extra = 3")).isEqualTo("1200");
        assertThat(status("guarantee")).doesNotContain("filling");
    }

    @Test
    void a_dropped_column_stays_with_its_old_values_and_new_rows_have_none() {
        open(BY_C);
        host.execute("CREATE INDEX mine ON t (v)");
        postgres.execute(
                "ALTER TABLE t DROP v; INSERT INTO t VALUES (5000, 1, 5000); UPDATE t SET c = 6000 WHERE id = 1");
        assertThat(sync().error()).isEmpty();
        assertThat(rows("SELECT id, v FROM t WHERE id IN (1, 2, 5000) ORDER BY id"))
                .containsExactly(List.of("1", "v1"), List.of("2", "v2"), List.of("5000", "null"));
        assertThat(host.value("SELECT count(*) FROM sqlite_schema WHERE name = 'mine'"))
                .isEqualTo("1");
        assertThat(status("notes")).contains("column \\\"v\\\" was dropped at the source and is kept");
        postgres.execute("ALTER TABLE t ALTER n TYPE numeric(12,3)");
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT v FROM t WHERE id = 2"))
                .as("also through a rebuild")
                .isEqualTo("v2");
        postgres.execute("ALTER TABLE t ADD v int NOT NULL DEFAULT 9");
        assertThat(sync().error()).isEmpty();
        assertThat(rows("SELECT v, v_dropped_2 FROM t WHERE id = 2")).containsExactly(List.of("9", "v2"));
    }

    @Test
    void a_dropped_column_leaves_the_copy_where_that_is_wanted_and_another_may_take_its_name() {
        open(BY_C.toBuilder().droppedColumns(DroppedColumns.DROP).build());
        postgres.execute("ALTER TABLE t DROP v; ALTER TABLE t RENAME n TO v");
        assertThat(sync().error()).isEmpty();
        assertThat(rows("SELECT name FROM pragma_table_info('t')"))
                .containsExactly(List.of("id"), List.of("v"), List.of("c"));
        assertSame();
    }

    @Test
    void renamed_columns_keep_the_cursor_and_the_settings_follow_by_identity() {
        open(BY_C);
        postgres.execute(
                "ALTER TABLE t RENAME c TO changed; ALTER TABLE t RENAME id TO number; ALTER TABLE t RENAME v TO c;"
                        + "INSERT INTO t VALUES (5000, 'new', 1, 5000)");
        SyncResult result = sync();
        assertThat(result.error()).isEmpty();
        assertThat(result.inserted()).isEqualTo(1);
        assertThat(result.pulled()).as("no reload").isLessThan(1300);
        assertThat(rows("SELECT number, c, changed FROM t WHERE number = 5000"))
                .containsExactly(List.of("5000", "new", "5000"));
        assertThat(status("notes"))
                .contains("the settings name the column \\\"c\\\", which the source calls \\\"changed\\\" now");
        assertThat(host.value("SELECT generation FROM tmp_replication_state")).isEqualTo("0");
        assertThat(host.call("PATCH", "/tables/t", "{'intervalMs': 5000}").status())
                .isEqualTo(200);
        assertThat(host.call("PATCH", "/tables/t", "{'cursorColumn': 'changed'}")
                        .status())
                .isEqualTo(200);
        sync(); // joins, it may be, one that began before the settings changed
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT generation FROM tmp_replication_state"))
                .as("another spelling is no other choice")
                .isEqualTo("0");
        assertThat(status("notes")).doesNotContain("the settings name");
        assertSame();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ALTER TABLE t ALTER c TYPE numeric | column \"c\" was bigint and is numeric",
                "ALTER TABLE t ALTER n TYPE numeric(12,1) | column \"n\" was numeric(10,2) and is numeric(12,1)",
                "ALTER TABLE t ALTER v DROP NOT NULL; UPDATE t SET v = NULL WHERE id = 3 | column \"v\" may be NULL now",
                "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (c, id) | its key was [id] and is [c, id]",
            })
    void what_changes_rows_that_are_there_has_the_copy_made_anew_and_the_run_says_why(String change, String why) {
        open(BY_C);
        postgres.execute(change);
        assertThat(sync().error()).isEmpty();
        assertThat(note()).contains(why);
        assertThat(host.value("SELECT generation FROM tmp_replication_state")).isEqualTo("1");
        assertSame();
        assertThat(sync().pulled()).as("once").isLessThan(1200);
    }

    /// No row is written, and every row reads otherwise.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue' | cursor",
                "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue' | xmin",
                "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue' | group",
                "ALTER TYPE place RENAME ATTRIBUTE street TO road | cursor",
                "ALTER TYPE place ADD ATTRIBUTE zip text | cursor",
                "ALTER TABLE named RENAME TO renamed | cursor",
                "CREATE SCHEMA IF NOT EXISTS other; ALTER TABLE named SET SCHEMA other | xmin",
            })
    void a_rename_inside_a_type_has_the_rows_read_again(String change, String mode) {
        postgres.execute("""
                CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE place AS (street text, moods mood[]);
                CREATE DOMAIN feeling AS mood; CREATE TABLE named (id int);
                ALTER TABLE t ADD m mood DEFAULT 'sad', ADD f feeling[] DEFAULT '{sad}', ADD r regclass DEFAULT 'named',
                    ADD p place DEFAULT ('here', '{sad,happy}'), ADD span int4range""");
        TableConfig config = mode.equals("xmin")
                ? TableConfig.of("t", TableConfig.Mode.XMIN, Duration.ofHours(1))
                : mode.equals("group") ? BY_C.toBuilder().group("g").build() : BY_C;
        open(config);
        assertThat(sync().error()).isEmpty();
        String generation = host.value("SELECT generation FROM tmp_replication_state");
        postgres.execute("ALTER TYPE mood ADD VALUE 'new'; CREATE TABLE more (id int)");
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT generation FROM tmp_replication_state"))
                .as("what is in no row changes none")
                .isEqualTo(generation);
        postgres.execute(change);
        assertThat(sync().error()).isEmpty();
        assertThat(note()).contains("names inside the type");
        String columns =
                "id, m, r, json_extract(f, '$[0]'), json_extract(p, '$.moods[0]'), (SELECT group_concat(key) FROM json_each(p))";
        String theirs =
                "id, m, (SELECT concat(relnamespace::regnamespace, '.', relname) FROM pg_class WHERE oid = r), f[1]::mood, (p).moods[1], (SELECT string_agg(k, ',') FROM json_object_keys(to_json(p)) k)";
        assertThat(rows("SELECT %s FROM t ORDER BY id LIMIT 3".formatted(columns)))
                .isEqualTo(asked(postgres, "SELECT %s FROM t ORDER BY id LIMIT 3".formatted(theirs)));
        assertThat(sync().error()).isEmpty();
        assertThat(sync().pulled()).as("once").isLessThan(1200);
        postgres.execute("ALTER TYPE mood RENAME VALUE 'new' TO 'newer'");
        assertThat(sync().error()).isEmpty();
        assertThat(note()).as("added since, and then renamed").contains("names inside the type");
    }

    @ParameterizedTest
    @ValueSource(strings = {"key", "cursor", "cursor that is not copied"})
    void an_enum_that_is_the_key_or_the_cursor_is_followed_through_a_rename(String role) {
        postgres.execute("""
                CREATE TYPE step AS ENUM ('one', 'two', 'three');
                CREATE TABLE e (s step NOT NULL, id int NOT NULL, PRIMARY KEY (%s));
                INSERT INTO e VALUES ('one', 1), ('two', 2)""".formatted(role.equals("key") ? "s" : "id"));
        var builder = TableConfig.of("e", role.equals("key") ? "id" : "s", Duration.ofHours(1)).toBuilder();
        host = TestHost.idle(folder, source, builder.build());
        if (role.endsWith("copied"))
            host.post("/tables", "{'name':'e','cursorColumn':'s','exclude':['s']}")
                    .result();
        assertThat(host.plugin.syncTable("e").join().error()).isEmpty();
        postgres.execute("ALTER TYPE step RENAME VALUE 'two' TO 'second'; INSERT INTO e VALUES ('three', 3)");
        for (int time = 1; time <= 2; time++) {
            assertThat(host.plugin.syncTable("e").join().error()).isEmpty();
        }
        assertThat(host.value("SELECT group_concat(id ORDER BY id) FROM e")).isEqualTo("1,2,3");
    }

    @Test
    void readers_have_the_old_copy_until_the_new_one_is_whole() {
        open(BY_C);
        host.close();
        try (TcpProxy proxy = new TcpProxy(postgres.port());
                Source slow = new PostgresSource(TestPostgres.config(proxy.port(), postgres.database()))) {
            host = TestHost.idle(folder, slow, BY_C.toBuilder().pageRows(100).build());
            postgres.execute("ALTER TABLE t ALTER n TYPE float8 USING n + 0.5");
            proxy.failAfter(60_000, TcpProxy.Fault.BLACK_HOLE);
            CompletableFuture<SyncResult> rebuilding = host.plugin.syncTable("t");
            await().ignoreExceptions()
                    .until(() -> !host.value("SELECT max(rowid) FROM tmp_replication_shadow_1_t")
                            .equals("null"));
            assertThat(host.value("SELECT count(*) || ' ' || sum(n) FROM t")).isEqualTo("1200 720600");
            proxy.leadTo(postgres.port()); // ends the connections there are
            assertThat(rebuilding.join().error()).isPresent();
            assertThat(host.value("SELECT count(*) || ' ' || sum(n) FROM t")).isEqualTo("1200 720600");
            host.close();
        }
        open(BY_C);
        assertThat(host.value("SELECT sum(n) FROM t")).isEqualTo("721200.0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"xmin", "group"})
    void other_ways_of_following_a_table_fill_added_columns_too(String way) {
        TableConfig config = way.equals("xmin")
                ? TableConfig.of("t", TableConfig.Mode.XMIN, Duration.ofHours(1))
                : BY_C.toBuilder().group("g").build();
        open(config);
        postgres.execute("ALTER TABLE t ADD extra int DEFAULT 3; ALTER TABLE t DROP n; ALTER TABLE t RENAME v TO w");
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT count(*) FROM t WHERE extra = 3")).isEqualTo("1200");
        assertSame();
    }

    @Test
    void a_look_that_fails_changes_nothing() {
        open(BY_C);
        List<List<String>> before =
                rows("SELECT * FROM tmp_replication_drift, sqlite_schema WHERE sqlite_schema.name = 't'");
        postgres.execute("ALTER TABLE t ADD extra int; CREATE ROLE gone_%1$s LOGIN; DROP ROLE gone_%1$s"
                .formatted(postgres.database()));
        source.close();
        assertThat(sync().error()).isPresent();
        assertThat(rows("SELECT * FROM tmp_replication_drift, sqlite_schema WHERE sqlite_schema.name = 't'"))
                .isEqualTo(before);
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("1200");
    }

    @Test
    void a_renamed_table_is_named_and_its_copy_goes_on_under_the_new_name() {
        open(BY_C);
        postgres.execute("ALTER TABLE t RENAME TO moved; INSERT INTO moved VALUES (5000, 'new', 1, 5000)");
        SyncResult missing = sync();
        assertThat(missing.error().orElseThrow().fault()).isEqualTo("SOURCE_TABLE_MISSING");
        assertThat(missing.error().orElseThrow().message()).contains("it is called public.moved now");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("1200");
        assertThat(host.post("/tables", "{'name': 'moved', 'cursorColumn': 'c', 'target': 't'}")
                        .status())
                .isEqualTo(200);
        SyncResult result = host.plugin.syncTable("moved").join();
        assertThat(result.error()).isEmpty();
        assertThat(result.inserted()).isEqualTo(1);
        assertThat(result.pulled()).as("no reload").isLessThan(1300);
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("1201");
        assertThat(host.get("/tables").result().get("tables").size()).isEqualTo(1);
        assertThat(host.protectedTables).containsKey("t");
    }

    @Test
    void what_waits_or_is_proved_goes_with_a_copy_whose_table_is_renamed() {
        open(BY_C);
        host.call("PATCH", "/tables/t", "{'paused':true,'deletes':'sweep(1h)'}").result();
        host.post("/tables/t/verify", "").result();
        postgres.execute("DELETE FROM t WHERE id > 100");
        host.post("/tables/t/sweep", "").result();
        host.post("/tables/t/backfill", "{}").result();
        assertThat(statusOf("t").get("sweep").get("awaiting").asInt()).isEqualTo(1100);
        assertThat(statusOf("t").get("backfill").get("state").asString()).isEqualTo("waiting");
        JsonNode proof = host.get("/proof/t").result();
        postgres.execute("ALTER TABLE t RENAME TO moved");
        host.post("/tables", """
                {'name': 'moved', 'cursorColumn': 'c', 'target': 't', 'paused': true, 'deletes': 'sweep(1h)'}""").result();
        assertThat(host.protectedTables).as("before its first sync").containsKey("t");
        assertThat(statusOf("moved").get("sweep").get("awaiting").asInt()).isEqualTo(1100);
        assertThat(statusOf("moved").get("backfill").get("state").asString()).isEqualTo("waiting");
        assertThat(host.get("/proof/moved").result().get("verdict")).isEqualTo(proof.get("verdict"));
        assertThat(host.plugin.syncTable("moved").join().error()).isEmpty();
        JsonNode done = host.post("/tables/moved/backfill", "{'confirm': true}").result();
        assertThat(done.get("backfill").get("state").asString())
                .as(done.toString())
                .isEqualTo("done");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("100");
    }

    private JsonNode statusOf(String table) {
        return host.get("/status/" + table).result();
    }

    @Test
    void a_table_that_may_not_be_read_any_more_or_is_dropped_leaves_its_copy_as_it_was() {
        String role = postgres.database();
        postgres.execute("CREATE ROLE %1$s LOGIN PASSWORD 'x'; GRANT SELECT ON t TO %1$s".formatted(role));
        try (Source restricted = new PostgresSource(as(role, postgres.config()))) {
            host = TestHost.idle(folder, restricted, BY_C);
            assertThat(sync().error()).isEmpty();
            postgres.execute("REVOKE SELECT ON t FROM " + role);
            assertThat(sync().error().orElseThrow().fault()).isEqualTo("SOURCE_PERMISSION");
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("1200");
            postgres.execute("GRANT SELECT ON t TO " + role);
            assertThat(sync().error()).isEmpty();
            postgres.execute("DROP TABLE t; DROP ROLE " + role);
            host.close();
        }
        open(BY_C, false);
        assertThat(sync().error().orElseThrow().fault()).isEqualTo("SOURCE_TABLE_MISSING");
        assertThat(status("guarantee")).isEqualTo("behind");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("1200");
    }

    /// It is there still, and its values go on changing.
    @ParameterizedTest
    @ValueSource(strings = {"cursor", "xmin"})
    void a_column_that_may_not_be_read_any_more_is_not_taken_for_one_that_was_dropped(String mode) {
        String role = postgres.database();
        postgres.execute("CREATE ROLE %1$s LOGIN PASSWORD 'x'; GRANT SELECT ON t TO %1$s".formatted(role));
        try (Source restricted = new PostgresSource(as(role, postgres.config()))) {
            host = TestHost.idle(
                    folder,
                    restricted,
                    mode.equals("xmin") ? TableConfig.of("t", TableConfig.Mode.XMIN, Duration.ofHours(1)) : BY_C);
            assertThat(sync().error()).isEmpty();
            postgres.execute("REVOKE SELECT ON t FROM %1$s; GRANT SELECT (id, n, c) ON t TO %1$s".formatted(role));
            postgres.execute("UPDATE t SET v = 'new' WHERE id = 1");
            Problem problem = sync().error().orElseThrow();
            assertThat(problem.fault()).isEqualTo("SOURCE_PERMISSION");
            assertThat(problem.remedy()).contains("GRANT SELECT (\"v\")").contains("exclude");
            assertThat(status("guarantee")).isEqualTo("behind");
            postgres.execute("GRANT SELECT (v) ON t TO " + role);
            postgres.execute("UPDATE t SET c = 9000 WHERE id = 1");
            assertThat(sync().error()).isEmpty();
            assertThat(host.value("SELECT v FROM t WHERE id = 1")).isEqualTo("new");
            postgres.execute("REVOKE SELECT (v) ON t FROM " + role);
            host.call("PATCH", "/tables/t", "{'exclude':['v']}").result();
            assertThat(sync().error()).isEmpty();
            postgres.execute("DROP TABLE t; DROP ROLE " + role);
            host.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cursor", "xmin"})
    void a_new_expression_of_a_virtual_column_has_the_rows_read_again(String mode) {
        postgres.execute("ALTER TABLE t ADD twice int GENERATED ALWAYS AS (id * 2) VIRTUAL");
        open(mode.equals("xmin") ? TableConfig.of("t", TableConfig.Mode.XMIN, Duration.ofHours(1)) : BY_C);
        postgres.execute("ALTER TABLE t ALTER twice SET EXPRESSION AS (id * 10)");
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT twice FROM t WHERE id = 7")).isEqualTo("70");
        assertThat(sync().error()).isEmpty();
        assertThat(sync().pulled()).as("once").isLessThan(1200);
    }

    /// No row is written, and every row reads otherwise.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "shown | CREATE OR REPLACE VIEW shown AS SELECT id, concat('other ', v) AS v, c FROM beneath | cursor",
                "shown | CREATE OR REPLACE VIEW beneath AS SELECT id, upper(v) AS v, c FROM t | cursor",
                "shown | CREATE OR REPLACE VIEW beneath AS SELECT id, v, c FROM t WHERE id % 2 = 0 | group",
                "shown | CREATE OR REPLACE FUNCTION said(text) RETURNS text LANGUAGE sql AS $$SELECT concat('b ', $1)$$ | cursor",
                "whole | ALTER TABLE t RENAME n TO number | cursor",
                "far | ALTER FOREIGN TABLE far OPTIONS (SET table_name 'others') | cursor",
            })
    void a_view_that_is_defined_anew_or_reads_through_what_is_has_its_rows_read_again(
            String relation, String change, String mode) {
        postgres.execute("""
                CREATE FUNCTION said(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN 'a ' || $1; END$$;
                CREATE VIEW beneath AS SELECT id, v, c FROM t;
                CREATE VIEW shown AS SELECT id, said(v) AS v, c FROM beneath;
                CREATE VIEW whole AS SELECT id, to_json(t)::text AS v, c FROM t;
                CREATE TABLE others AS SELECT id, 'other ' || v AS v, c FROM t;
                CREATE EXTENSION postgres_fdw;
                CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '%d', dbname '%s');
                CREATE USER MAPPING FOR postgres SERVER itself OPTIONS (user 'postgres', password 'postgres');
                CREATE FOREIGN TABLE far (id int, v text, c bigint) SERVER itself OPTIONS (table_name 't')""".formatted(postgres.port(), postgres.database()));
        var builder =
                TableConfig.of(relation, "c", Duration.ofHours(1)).toBuilder().key(List.of("id"));
        host = TestHost.idle(folder, source, (mode.equals("group") ? builder.group("g") : builder).build());
        assertThat(host.plugin.syncTable(relation).join().error()).isEmpty();
        String generation = host.value("SELECT generation FROM tmp_replication_state");
        postgres.execute("""
                CREATE VIEW another AS SELECT * FROM shown; GRANT SELECT ON shown, beneath TO PUBLIC;
                ALTER TABLE others RENAME TO others_now; ALTER TABLE others_now RENAME TO others; ANALYZE t""");
        if (!relation.equals("whole"))
            postgres.execute("ALTER TABLE t RENAME n TO m; ALTER VIEW beneath RENAME TO under");
        assertThat(host.plugin.syncTable(relation).join().error()).isEmpty();
        assertThat(host.value("SELECT generation FROM tmp_replication_state"))
                .as("what changes no row")
                .isEqualTo(generation);
        postgres.execute(change.replace("VIEW beneath", "VIEW under").replace("FROM beneath", "FROM under"));
        assertThat(host.plugin.syncTable(relation).join().error()).isEmpty();
        assertThat(note()).contains("its definition, or that of a view, function or table that it reads through");
        assertThat(rows("SELECT id, v FROM %s ORDER BY id".formatted(relation)))
                .isEqualTo(asked(postgres, "SELECT id, v FROM %s ORDER BY id".formatted(relation)));
        generation = host.value("SELECT generation FROM tmp_replication_state");
        assertThat(host.plugin.syncTable(relation).join().error()).isEmpty();
        assertThat(host.value("SELECT generation FROM tmp_replication_state"))
                .as("once")
                .isEqualTo(generation);
    }

    @Test
    void what_the_rarer_identifier_types_name_is_followed_too() {
        postgres.execute("""
                CREATE COLLATION mine FROM "C"; CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
                ALTER TABLE t ADD l regcollation DEFAULT 'mine', ADD f regconfig DEFAULT 'words'""");
        open(TableConfig.of("t", TableConfig.Mode.XMIN, Duration.ofHours(1)));
        postgres.execute("ALTER COLLATION mine RENAME TO ours");
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT l FROM t WHERE id = 7")).contains("ours");
        postgres.execute("ALTER TEXT SEARCH CONFIGURATION words RENAME TO texts");
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT f FROM t WHERE id = 7")).contains("texts");
    }

    static SourceConfig as(String role, SourceConfig config) {
        return new SourceConfig(
                config.type(),
                config.host(),
                config.port(),
                role,
                "x",
                config.database(),
                config.defaultSchema(),
                config.options(),
                new SourceConfig.Limits(
                        config.limits().maxConnections(),
                        config.limits().connectTimeout(),
                        config.limits().statementTimeout()));
    }

    private void open(TableConfig config) {
        open(config, true);
    }

    private void open(TableConfig config, boolean isSynced) {
        host = TestHost.idle(folder, source, config);
        if (isSynced) assertThat(sync().error()).isEmpty();
    }

    private SyncResult sync() {
        return host.plugin.syncTable("t").join();
    }

    private List<List<String>> rows(String sql) {
        return host.query(sql);
    }

    private String status(String field) {
        return host.get("/status/t").result().get(field).toString().replaceAll("^\"|\"$", "");
    }

    private String note() {
        return String.valueOf(host.value("SELECT note FROM tmp_replication_runs ORDER BY id DESC LIMIT 1"));
    }

    /// The copy against the source, column by column as text, without zeros at a number's end.
    private void assertSame() {
        List<String> columns = asked("SELECT column_name FROM information_schema.columns WHERE table_name = 't'");
        String here = columns.stream()
                .map("coalesce(cast(%s AS text), '-')"::formatted)
                .collect(Collectors.joining(" || ',' || "));
        String there = columns.stream()
                .map("coalesce(regexp_replace(%s::text, '[.]0+$', ''), '-')"::formatted)
                .collect(Collectors.joining(" || ',' || "));
        assertThat(rows("SELECT " + here + " FROM t").stream().map(List::getFirst))
                .containsExactlyInAnyOrderElementsOf(asked("SELECT " + there + " FROM t"));
    }

    private List<String> asked(String sql) {
        return asked(postgres, sql).stream().map(List::getFirst).toList();
    }

    /// Rows of the source, each cell as text, NULL as `null`.
    static List<List<String>> asked(TestPostgres postgres, String sql) {
        List<List<String>> found = new ArrayList<>();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++)
                    row.add(String.valueOf(rows.getString(i)));
                found.add(row);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return found;
    }
}
