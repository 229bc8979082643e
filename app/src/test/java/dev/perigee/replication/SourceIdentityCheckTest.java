package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.run.Recovery;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.Scope;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.FolderServer;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Sources that are not what they were, with a real PostgreSQL: a named fault, a copy that stays, and a way back.
class SourceIdentityCheckTest {
    private static final TableConfig BY_C = TableConfig.of("t", "c", Duration.ofHours(1));

    @TempDir
    Path folder;

    private TestPostgres postgres;
    private TcpProxy proxy;
    private Source source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        proxy = new TcpProxy(postgres.port());
        source = new PostgresSource(TestPostgres.config(proxy.port(), postgres.database()));
        postgres.execute("""
                CREATE TABLE t (id int PRIMARY KEY, v text, c bigserial);
                CREATE INDEX ON t (c);
                INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 100) i""");
    }

    @AfterEach
    void stop() {
        if (host != null) host.close();
        source.close();
        proxy.close();
        postgres.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "TRUNCATE t | emptied or rewritten | greatest cursor value is less",
                "TRUNCATE t; INSERT INTO t (id, v) SELECT i, 'w' FROM generate_series(1, 300) i | emptied or rewritten | ",
                "DELETE FROM t; ALTER SEQUENCE t_c_seq RESTART; INSERT INTO t (id, v) VALUES (1, 'w') | sequence of its cursor was set back | ",
                "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text, c bigserial); INSERT INTO t (id, v) SELECT i, 'w' FROM generate_series(1, 300) i | dropped and created again | ",
                "DROP TABLE t; CREATE TABLE t (v text, id int PRIMARY KEY, c bigserial, more int) | dropped and created again | ",
            })
    void a_table_that_was_emptied_set_back_or_replaced_is_a_fault_until_it_is_recovered(
            String change, String what, String behind) {
        open(BY_C);
        postgres.execute(change);
        Problem problem = sync().error().orElseThrow();
        assertThat(problem.fault()).isIn("SOURCE_BEHIND_CURSOR", "SOURCE_REPLACED");
        assertThat(problem.message()).contains(what).contains(behind == null ? "" : behind);
        assertThat(problem.remedy()).contains("perigee tables recover");
        assertThat(host.value("SELECT count(*) || ' ' || max(c) FROM t")).isEqualTo("100 100");
        postgres.execute("INSERT INTO t (id, v) SELECT i, 'late' FROM generate_series(1001, 1400) i");
        assertThat(sync().error()).as("it is not forgotten").isPresent();
        host.close();
        open(BY_C, false);
        assertThat(sync().error()).as("nor by a restart").isPresent();
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("100");
        assertRecovers();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DELETE FROM t WHERE c > 50",
                "VACUUM FULL t",
                "DELETE FROM t WHERE id < 90; CLUSTER t USING t_pkey",
                "ALTER TABLE t ADD r float8 DEFAULT random()",
                "REINDEX TABLE t",
            })
    void rows_that_were_deleted_and_tables_that_were_rewritten_are_no_fault(String change) {
        open(BY_C);
        for (String statement : change.split("; ")) postgres.execute(statement);
        postgres.execute("INSERT INTO t (id, v) VALUES (1000, 'new')");
        SyncResult result = sync();
        assertThat(result.error()).isEmpty();
        assertThat(result.inserted()).isEqualTo(1);
        assertThat(sync().error()).isEmpty();
    }

    @Test
    void a_database_restored_under_its_old_name_is_a_fault_and_is_recovered() {
        onServer("CREATE DATABASE backup_%1$s TEMPLATE %1$s".formatted(postgres.database()));
        postgres.execute("INSERT INTO t (id, v) SELECT i, 'lost' FROM generate_series(101, 200) i");
        open(BY_C);
        host.close();
        source.close();
        String name = postgres.database();
        onServer("DROP DATABASE %s WITH (FORCE)".formatted(name));
        onServer("ALTER DATABASE backup_%1$s RENAME TO %1$s".formatted(name));
        source = new PostgresSource(TestPostgres.config(proxy.port(), name));
        open(BY_C, false);
        assertThat(sync().error().orElseThrow().fault()).isEqualTo("SOURCE_REPLACED");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("200");
        assertRecovers();
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("100");
    }

    @Test
    void another_server_under_the_same_address_is_a_fault_and_the_old_one_is_taken_again() throws Exception {
        open(BY_C);
        try (EmbeddedPostgres other = TestPostgres.server().start()) {
            execute(other, "postgres", "CREATE DATABASE " + postgres.database());
            execute(other, postgres.database(), "CREATE TABLE t (id int PRIMARY KEY, v text, c bigserial)");
            proxy.leadTo(other.getPort());
            Problem problem = sync().error().orElseThrow();
            assertThat(problem.fault()).isEqualTo("SOURCE_REPLACED");
            assertThat(problem.message()).contains("system identifier");
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("100");
            proxy.leadTo(postgres.port());
            assertThat(sync().error()).isEmpty();
        }
    }

    /// A cluster cannot be wound back in place, so what is remembered is put ahead instead.
    @ParameterizedTest
    @CsvSource({"counter, has counted", "timeline, is on timeline 1 and was on timeline"})
    void a_server_that_went_back_in_its_history_is_a_fault(String what, String message) {
        open(BY_C);
        host.execute(
                "UPDATE tmp_replication_drift SET identity = json_set(identity, '$.%s', 900000000)".formatted(what));
        Problem problem = sync().error().orElseThrow();
        assertThat(problem.fault()).isEqualTo("SOURCE_BEHIND_CURSOR");
        assertThat(problem.message()).contains(message);
        assertRecovers();
    }

    /// Its files are put back, and as many transactions run, and as much is logged, as before.
    @ParameterizedTest
    @CsvSource({"xmin, off, false", "cursor, off, false", "xmin, on, true", "xmin, off, true"})
    void a_server_whose_files_were_put_back_is_a_fault_although_it_has_caught_up(
            String mode, String tracks, boolean isLate) {
        Path files = folder.resolve("postgres");
        try (FolderServer server = FolderServer.start(files, Map.of("track_commit_timestamp", tracks))) {
            source.close();
            source = new PostgresSource(TestPostgres.config(server.port(), "postgres"));
            server.execute("""
                    CREATE TABLE t (id int PRIMARY KEY, v text, c timestamptz DEFAULT now());
                    INSERT INTO t SELECT i, 'v' FROM generate_series(1, 100) i""");
            server.copyTo(folder.resolve("older"));
            open(mode.equals("xmin") ? TableConfig.of("t", TableConfig.Mode.XMIN, Duration.ofHours(1)) : BY_C);
            write(server, 101, 150);
            assertThat(sync().error()).isEmpty();
            server.putBack(folder.resolve("older"));
            write(server, 201, 300);
            server.execute("SELECT pg_switch_wal()");
            if (isLate) server.execute("CHECKPOINT");
            SyncResult result = sync();
            if (isLate && tracks.equals("off")) {
                assertThat(result.error()).isEmpty();
                assertThat(note()).contains("a verification can tell");
                assertThat(host.value("SELECT count(*) FROM t WHERE id > 200")).isEqualTo("100");
                assertThat(host.post("/tables/t/verify", "{'repair':true,'confirm':true}")
                                .result()
                                .get("proof")
                                .get("extra")
                                .asInt())
                        .isEqualTo(50);
            } else {
                assertThat(result.error().orElseThrow().fault()).isEqualTo("SOURCE_BEHIND_CURSOR");
                assertThat(result.error().orElseThrow().message()).contains("started again");
                assertThat(host.value("SELECT max(id) FROM t")).isEqualTo("150");
                host.post("/tables/t/recover", "").result();
                assertThat(sync().error()).isEmpty();
            }
            assertThat(host.value("SELECT count(*) || ' ' || max(id) FROM t")).isEqualTo("200 300");
        }
    }

    @Test
    void a_server_that_was_merely_started_again_is_followed() {
        try (FolderServer server = FolderServer.start(folder.resolve("postgres"), Map.of())) {
            source.close();
            source = new PostgresSource(TestPostgres.config(server.port(), "postgres"));
            server.execute("CREATE TABLE t (id int PRIMARY KEY, v text, c timestamptz DEFAULT now())");
            write(server, 1, 10);
            open(BY_C);
            server.copyTo(folder.resolve("unused"));
            write(server, 11, 12);
            assertThat(sync().inserted()).isEqualTo(2);
            assertThat(note()).doesNotContain("started again");
        }
    }

    private static void write(FolderServer server, int from, int to) {
        for (int id = from; id <= to; id++) server.execute("INSERT INTO t VALUES (%d, 'w')".formatted(id));
    }

    @Test
    void rows_of_an_attached_partition_arrive_however_old_and_a_detached_one_is_noted() {
        postgres.execute("""
                CREATE TABLE p (id int, c bigint NOT NULL, PRIMARY KEY (id)) PARTITION BY RANGE (id);
                CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
                CREATE TABLE p2 (id int PRIMARY KEY, c bigint NOT NULL);
                INSERT INTO p SELECT i, i + 1000 FROM generate_series(1, 50) i;
                INSERT INTO p2 SELECT i, i FROM generate_series(100, 150) i""");
        host = TestHost.idle(folder, source, TableConfig.of("p", "c", Duration.ofHours(1)));
        assertThat(host.plugin.syncTable("p").join().inserted()).isEqualTo(50);
        assertThat(host.plugin.syncTable("p").join().inserted()).isZero();
        postgres.execute("ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200)");
        assertThat(host.plugin.syncTable("p").join().inserted()).isEqualTo(51);
        assertThat(note()).contains("1 partitions were attached");
        assertThat(host.plugin.syncTable("p").join().pulled()).as("once").isLessThan(51);
        postgres.execute("ALTER TABLE p DETACH PARTITION p1");
        assertThat(host.plugin.syncTable("p").join().error()).isEmpty();
        assertThat(note()).contains("1 partitions were detached");
        postgres.execute("TRUNCATE p2");
        assertThat(host.plugin.syncTable("p").join().error()).isPresent();
    }

    @Test
    void a_server_that_hides_who_it_is_is_followed_and_what_it_shows_is_compared() {
        postgres.execute("""
                REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint(), pg_walfile_name(pg_lsn) FROM PUBLIC;
                CREATE ROLE %1$s LOGIN PASSWORD 'x'; GRANT SELECT ON t TO %1$s""".formatted(postgres.database()));
        source.close();
        source = new PostgresSource(DriftTest.as(postgres.database(), postgres.config()));
        open(BY_C);
        assertThat(host.value("SELECT identity FROM tmp_replication_drift"))
                .doesNotContain("system")
                .doesNotContain("timeline");
        assertThat(sync().error()).isEmpty();
        postgres.execute("TRUNCATE t");
        assertThat(sync().error()).isPresent();
        source.close();
        postgres.execute("DROP OWNED BY %1$s; DROP ROLE %1$s".formatted(postgres.database()));
    }

    /// Without a mending, to see what the marks alone do: all that comes later arrives, and nothing that was there.
    @ParameterizedTest
    @ValueSource(strings = {"cursor", "xmin"})
    void recovery_sets_the_marks_to_where_the_source_stands_and_says_that_it_is_not_done(String mode) {
        TableConfig config =
                mode.equals("xmin") ? TableConfig.of("t", TableConfig.Mode.XMIN, Duration.ofHours(1)) : BY_C;
        open(config);
        postgres.execute(
                "TRUNCATE t RESTART IDENTITY; INSERT INTO t (id, v) SELECT i, 'w' FROM generate_series(201, 220) i");
        assertThat(sync().error()).isPresent();
        assertThat(Recovery.rebase(host.store(), source, config)).isTrue();
        postgres.execute("INSERT INTO t (id, v) VALUES (300, 'new'); UPDATE t SET v = 'changed' WHERE id = 205");
        assertThat(sync().error()).isEmpty();
        assertThat(host.query("SELECT id FROM t WHERE id > 100 ORDER BY id").toString())
                .isEqualTo("[[205], [300]]");
        assertThat(guarantee()).isEqualTo("recovering");
        host.close();
        open(config, false);
        assertThat(guarantee()).as("also after a crash").isEqualTo("recovering");
        Recovery.ended(host.store(), "t");
        assertThat(guarantee()).isNotEqualTo("recovering");
    }

    /// The definition that a sync has looked at is an older one than that in its snapshot.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER TABLE t ALTER COLUMN id TYPE bigint",
                "ALTER TABLE t ALTER COLUMN v TYPE int USING substr(v, 2)::int",
                "ALTER TABLE t ADD r float8 DEFAULT random()",
                "ALTER TABLE t DROP COLUMN v; ALTER TABLE t ALTER COLUMN id TYPE bigint",
            })
    void a_rewrite_between_the_look_at_the_definition_and_the_snapshot_is_followed(String change) {
        WatchedSource watched = new WatchedSource(source);
        source = watched;
        open(BY_C);
        watched.after(0, () -> postgres.execute(change));
        Optional<Problem> first = sync().error();
        assertThat(first.map(Problem::fault)).isIn(Optional.empty(), Optional.of("SOURCE_SCHEMA_CHANGED"));
        postgres.execute("INSERT INTO t (id) VALUES (1000)");
        assertThat(sync().error()).isEmpty();
        String columns = change.contains("ADD") ? "id, v, c" : "id, c";
        assertThat(host.query("SELECT %s FROM t ORDER BY id".formatted(columns)))
                .isEqualTo(DriftTest.asked(postgres, "SELECT %s FROM t ORDER BY id".formatted(columns)));
    }

    /// As pg_repack leaves a table: another file, and no row that is not written anew.
    @ParameterizedTest
    @ValueSource(strings = {"cursor", "xmin"})
    void a_table_whose_rows_were_all_written_again_as_they_were_is_the_same(String mode) {
        open(mode.equals("xmin") ? TableConfig.of("t", TableConfig.Mode.XMIN, Duration.ofHours(1)) : BY_C);
        postgres.execute("UPDATE t SET v = v");
        postgres.execute("VACUUM FULL t");
        postgres.execute("INSERT INTO t (id, v) VALUES (1000, 'new')");
        assertThat(sync().error()).isEmpty();
        assertThat(sync().error()).isEmpty();
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("101");
    }

    /// Each of these removes rows that it does not find, and none of them is a sync.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sweep | | TRUNCATE t",
                "sweep | | DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text, c bigserial); INSERT INTO t SELECT i, 'w' FROM generate_series(1, 90) i",
                "backfill | | TRUNCATE t",
                "backfill | | DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text, c bigserial); INSERT INTO t SELECT i, 'w' FROM generate_series(1, 90) i",
                "verify | {'repair':true} | TRUNCATE t",
                "verify | {'repair':true} | DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text, c bigserial); INSERT INTO t SELECT i, 'w' FROM generate_series(1, 90) i",
            })
    void a_check_or_backfill_changes_nothing_while_the_table_is_not_the_remembered_one(
            String what, String body, String change) {
        open(BY_C);
        host.call("PATCH", "/tables/t", "{'paused':true,'deletes':'sweep(1h)'}").result();
        postgres.execute(change);
        host.post("/tables/t/%s?wait=%s".formatted(what, !what.equals("backfill")), body == null ? "" : body);
        if (what.equals("backfill")) awaitEndOfBackfill();
        assertThat(host.value("SELECT count(*) || ' ' || group_concat(DISTINCT substr(v, 1, 1)) FROM t"))
                .isEqualTo("100 v");
    }

    /// The settings' cursor is found in it by its name alone, so that the copy would be made anew.
    @Test
    void a_table_made_anew_with_its_columns_in_other_places_is_not_the_same() {
        open(BY_C);
        postgres.execute("ALTER TABLE t DROP COLUMN v");
        assertThat(sync().error()).isEmpty();
        postgres.execute("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, c bigserial)");
        postgres.execute("INSERT INTO t SELECT i FROM generate_series(1, 4) i");
        assertThat(sync().error().orElseThrow().fault()).isEqualTo("SOURCE_REPLACED");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("100");
    }

    @Test
    void an_unlogged_table_that_a_crash_emptied_is_a_fault_for_syncs_and_sweeps() throws Exception {
        try (EmbeddedPostgres server = TestPostgres.server()
                .setServerConfig("synchronous_commit", "on") // what was committed is there after a crash
                .start()) {
            execute(server, "postgres", """
                    CREATE UNLOGGED TABLE t (id int PRIMARY KEY, v text, c bigint);
                    INSERT INTO t SELECT i, 'v' FROM generate_series(1, 100) i""");
            source.close();
            source = new PostgresSource(TestPostgres.config(server.getPort(), "postgres"));
            open(BY_C);
            host.call("PATCH", "/tables/t", "{'deletes':'sweep(1h)'}").result();
            crash(server);
            // Connections from before the crash are dead, and the server may take more than one try to be up again.
            await().untilAsserted(() -> {
                JsonNode sweep = host.post("/tables/t/sweep", "").result().get("sweep");
                assertThat(sweep.get("error").get("fault").stringValue()).isEqualTo("SOURCE_BEHIND_CURSOR");
            });
            assertThat(sync().error().orElseThrow().message()).contains("unlogged");
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("100");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sweep", "backfill"})
    void a_table_of_a_few_rows_is_not_emptied_without_a_question(String what) {
        open(BY_C);
        host.call("PATCH", "/tables/t", "{'deletes':'sweep(1h)'}").result();
        postgres.execute("DELETE FROM t");
        host.post("/tables/t/" + what, "").result();
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("100");
        host.post("/tables/t/" + what, "{'confirm':true}");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("0");
    }

    @Test
    void a_copy_in_mode_full_does_not_follow_its_address_to_another_server() throws Exception {
        open(TableConfig.of("t", TableConfig.Mode.FULL, Duration.ofHours(1)));
        try (EmbeddedPostgres other = TestPostgres.server().start()) {
            execute(other, "postgres", "CREATE DATABASE " + postgres.database());
            execute(other, postgres.database(), "CREATE TABLE t (id int PRIMARY KEY, v text, c bigserial)");
            proxy.leadTo(other.getPort());
            assertThat(sync().error().orElseThrow().fault()).isEqualTo("SOURCE_REPLACED");
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("100");
            assertThat(host.post("/tables/t/recover", "")
                            .result()
                            .get("success")
                            .asBoolean())
                    .isTrue();
            assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("0");
        }
    }

    /// A verification remembers 100,000 rows that differ; a recovery is for any number of them.
    @Test
    void a_source_in_which_very_many_rows_differ_is_recovered() {
        open(BY_C);
        postgres.execute(
                "TRUNCATE t RESTART IDENTITY; INSERT INTO t (id, v) SELECT i, 'w' FROM generate_series(10001, 110102) i");
        assertThat(sync().error()).isPresent();
        assertRecovers();
        assertThat(guarantee()).isEqualTo("settled(10s)");
    }

    @Test
    void a_recovery_that_is_refused_while_a_check_runs_has_set_no_marks() {
        GateSource gated = new GateSource(source, Scope.ByKey.class);
        host = TestHost.idle(folder, gated, BY_C);
        assertThat(sync().error()).isEmpty();
        String before = host.query("SELECT * FROM tmp_replication_state").toString();
        gated.isHeld = true;
        host.call("PATCH", "/tables/t", "{'paused':true}").result();
        host.post("/tables/t/verify?wait=false", "").result();
        await().until(() -> gated.waiting.get() == 1);
        TestHost.Reply refused = host.post("/tables/t/recover", "");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.error())
                .contains("a check of it is running", "Nothing was changed", "GET /replication/proof/t");
        assertThat(host.query("SELECT * FROM tmp_replication_state").toString()).isEqualTo(before);
        assertThat(guarantee()).isEqualTo("settled(10s)");
        gated.gate.release(10);
    }

    @Test
    void what_a_verification_stumbles_over_is_named_with_the_command_that_helps() {
        host = TestHost.idle(folder, source, BY_C);
        host.call("PATCH", "/tables/t", "{'paused':true}").result();
        assertThat(remedyOfVerification()).contains("perigee tables sync t");
        sync();
        postgres.execute("TRUNCATE t");
        assertThat(remedyOfVerification()).contains("perigee tables recover t");
        host.call("PATCH", "/tables/t", "{'paused':false}").result();
        assertThat(remedyOfVerification()).contains("perigee tables recover t", "POST /replication/tables/t/recover");
        assertThat(host.post("/tables/nothing/verify", "").error())
                .contains("To fix: take a name from `perigee tables`");
        assertThat(host.post("/tables/t/sweep", "").error()).contains("perigee tables set t --deletes 'sweep(10m)'");
    }

    private String remedyOfVerification() {
        JsonNode error = host.post("/tables/t/verify", "").result().at("/proof/error");
        assertThat(error.path("message").asString(""))
                .contains("To fix: " + error.path("remedy").asString(""));
        return error.path("remedy").asString("");
    }

    /// Until it has ended, or has failed for the first time.
    private void awaitEndOfBackfill() {
        await().until(() -> {
            JsonNode status = host.get("/tables/t/backfill").result().get("backfill");
            return status == null || !status.get("state").stringValue().equals("running");
        });
    }

    /// Kills one of the server's own processes, as the kernel does when memory is short: all of it starts again then.
    /// Ends a session by force, and returns when the server has restarted all of them. The second session tells when
    /// that has begun: a server that does not know of the end yet takes new sessions, and ends them right after.
    private static void crash(EmbeddedPostgres server) throws SQLException {
        DataSource database = server.getDatabase("postgres", "postgres");
        try (Connection connection = database.getConnection();
                Connection other = database.getConnection();
                Statement statement = connection.createStatement()) {
            ResultSet pid = statement.executeQuery("SELECT pg_backend_pid()");
            pid.next();
            ProcessHandle.of(pid.getLong(1)).orElseThrow().destroyForcibly();
            await().until(() -> !other.isValid(1));
        }
        await().until(() -> {
            try (Connection connection = database.getConnection()) {
                return connection.isValid(1);
            } catch (SQLException e) {
                return false;
            }
        });
    }

    private String guarantee() {
        return host.get("/status/t").result().get("guarantee").asString();
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

    private void assertRecovers() {
        assertThat(host.post("/tables/t/recover", "").result().get("success").asBoolean())
                .isTrue();
        assertThat(sync().error()).isEmpty();
        assertThat(host.query("SELECT id, v, c FROM t ORDER BY id"))
                .isEqualTo(DriftTest.asked(postgres, "SELECT id, v, c FROM t ORDER BY id"));
        postgres.execute("INSERT INTO t (id, v) VALUES (7777, 'after')");
        assertThat(sync().inserted()).isEqualTo(1);
        postgres.execute("DELETE FROM t WHERE id = 7777");
        host.execute("DELETE FROM t WHERE id = 7777");
    }

    private void onServer(String sql) {
        try (Connection connection = DriverManager.getConnection(
                        "jdbc:postgresql://127.0.0.1:%d/postgres".formatted(postgres.port()), "postgres", "postgres");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private String note() {
        return String.valueOf(host.value("SELECT note FROM tmp_replication_runs ORDER BY id DESC LIMIT 1"));
    }

    private static void execute(EmbeddedPostgres server, String database, String sql) throws SQLException, IOException {
        try (Connection connection = server.getDatabase("postgres", database).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
