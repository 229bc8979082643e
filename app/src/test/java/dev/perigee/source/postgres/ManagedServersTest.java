package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Horizon;
import dev.perigee.source.Moment;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceReport;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// PostgreSQL as providers run it: functions that refuse, poolers that invent process numbers, policies that hide rows,
/// rights on some columns only.
class ManagedServersTest {
    private TestPostgres postgres;
    private TcpProxy proxy;
    private Source source;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        proxy = new TcpProxy(postgres.port());
        source = new PostgresSource(TestPostgres.config(proxy.port(), postgres.database()));
        postgres.execute("""
                CREATE TABLE t (id int PRIMARY KEY, v text, owner text DEFAULT 'postgres', u timestamptz DEFAULT now());
                INSERT INTO t (id, v) SELECT i, 'v' || i FROM generate_series(1, 100) i""");
    }

    @AfterEach
    void stop() {
        source.close();
        proxy.close();
        postgres.close();
    }

    /// Granted, and refused when called, as Aurora does with the log's functions.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "pg_current_wal_insert_lsn() RETURNS pg_lsn | 55000",
                "pg_walfile_name(pg_lsn) RETURNS text | 0A000",
                "pg_control_system(OUT pg_control_version int, OUT catalog_version_no int, OUT system_identifier bigint, OUT pg_control_last_modified timestamptz) | 42501",
            })
    void a_function_that_refuses_leaves_its_answer_empty_and_everything_else_goes_on(String function, String state) {
        postgres.execute(
                """
                ALTER FUNCTION pg_catalog.%s RENAME TO real; CREATE FUNCTION pg_catalog.%s LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'not here' USING ERRCODE = '%s'; END $$""".formatted(function.replaceAll("\\(OUT.*", "()").replaceAll(" RETURNS.*", ""), function, state));
        for (int time = 1; time <= 2; time++) {
            SourceTable table = source.describe("t");
            assertThat(source.count(table)).isEqualTo(100);
            boolean isAnswered = inSnapshot(snapshot -> {
                Optional<String> answer = function.startsWith("pg_control")
                        ? snapshot.identity(table).orElseThrow().server().system()
                        : function.startsWith("pg_walfile")
                                ? snapshot.identity(table)
                                        .orElseThrow()
                                        .server()
                                        .timeline()
                                        .map(String::valueOf)
                                : snapshot.position();
                assertThat(snapshot.identity(table)).isPresent();
                return answer.isPresent();
            });
            assertThat(isAnswered).isFalse();
        }
    }

    @Test
    void where_prepared_transactions_cannot_be_seen_not_every_open_one_is_said_to_be() {
        postgres.execute("""
                CREATE FUNCTION refuse() RETURNS name LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'not here' USING ERRCODE = '0A000'; END $$;
                SET allow_system_table_mods = on;
                CREATE OR REPLACE VIEW pg_catalog.pg_prepared_xacts AS
                SELECT '1'::xid AS transaction, '' AS gid, now() AS prepared, refuse() AS owner, refuse() AS database""");
        assertThat(inSnapshot(Snapshot::horizon).sight()).isEqualTo(Horizon.Sight.SOME);
        assertThat(source.count(source.describe("t"))).isEqualTo(100);
    }

    @Test
    void a_writer_whose_process_number_a_pooler_gives_to_us_still_holds_what_it_may_commit() throws SQLException {
        try (Connection writer = postgres.connect();
                Statement statement = writer.createStatement()) {
            writer.setAutoCommit(false);
            ResultSet pid = statement.executeQuery("SELECT pg_backend_pid() FROM t");
            pid.next();
            int process = pid.getInt(1);
            proxy.inventing(() -> process);
            Horizon horizon = inSnapshot(Snapshot::horizon);
            assertThat(horizon.oldest().orElseThrow().who()).contains("process " + process);
            assertThat(horizon.seals(new Moment(Instant.now(), "1:1"), Duration.ZERO))
                    .isFalse();
        }
    }

    @Test
    void our_own_long_reads_hold_nothing_up_behind_a_pooler() {
        proxy.inventing(() -> 7);
        Optional<Horizon.Holder> holder =
                inSnapshot(_ -> inSnapshot(second -> second.horizon().oldest()));
        assertThat(holder).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (owner = current_user)",
                "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
                "ALTER TABLE t OWNER TO %1$s; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY",
                "ALTER TABLE t RENAME TO base; ALTER TABLE base ENABLE ROW LEVEL SECURITY; GRANT SELECT ON base TO %1$s; CREATE VIEW t WITH (security_invoker) AS SELECT * FROM base; GRANT SELECT ON t TO %1$s",
                "ALTER TABLE t RENAME TO base; ALTER TABLE base ENABLE ROW LEVEL SECURITY; GRANT SELECT ON base TO %1$s; CREATE VIEW t WITH (security_barrier) AS SELECT * FROM base; ALTER VIEW t OWNER TO %1$s",
            })
    void rows_that_the_source_hides_are_a_fault_and_no_answer(String hiding) {
        String role = role("SELECT");
        for (String statement : hiding.formatted(role).split("; ")) postgres.execute(statement);
        SourceTable table = source.describe("t");
        assertThatThrownBy(() -> source.count(table)).isInstanceOfSatisfying(PerigeeException.class, e -> {
            assertThat(e.fault()).isEqualTo(Fault.SOURCE_ROWS_HIDDEN);
            assertThat(e.getMessage()).contains(role).contains("BYPASSRLS");
        });
        drop(role);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id <= 50)",
                "ALTER TABLE t OWNER TO %1$s; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id <= 50)",
                "ALTER TABLE t RENAME TO base; ALTER TABLE base ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON base USING (id <= 50); GRANT SELECT ON base TO %1$s; CREATE VIEW t WITH (security_invoker) AS SELECT * FROM base; GRANT SELECT ON t TO %1$s",
                "ALTER TABLE t RENAME TO base; ALTER TABLE base ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON base USING (id <= 50); GRANT SELECT ON base TO %1$s; CREATE VIEW t WITH (security_barrier) AS SELECT * FROM base; ALTER VIEW t OWNER TO %1$s",
            })
    void only_reads_of_a_table_that_may_be_filtered_are_filtered(String hiding) {
        String role = role("SELECT");
        postgres.execute("ALTER ROLE %s SET row_security = off".formatted(role));
        for (String statement : hiding.formatted(role).split("; ")) postgres.execute(statement);
        SourceTable refused = source.describe("t");
        SourceTable filtered =
                source.describe(TableConfig.of("t", TableConfig.Mode.FULL, Duration.ofSeconds(1)).toBuilder()
                        .rowSecurity(TableConfig.RowSecurity.FILTERED)
                        .build());
        assertThatThrownBy(() -> inSnapshot(snapshot -> {
                    assertThat(snapshot.count(filtered)).isEqualTo(50);
                    assertThat(snapshot.viewer(filtered)).contains(role);
                    assertThat(snapshot.viewer(refused)).isEmpty();
                    assertThat(snapshot.obstacles(filtered))
                            .extracting(Obstacle::effect)
                            .containsExactly(Obstacle.Effect.NOTE);
                    assertThat(snapshot.count(filtered)).isEqualTo(50);
                    return snapshot.count(refused);
                }))
                .isInstanceOfSatisfying(
                        PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(Fault.SOURCE_ROWS_HIDDEN));
        drop(role);
    }

    @Test
    void a_role_that_sees_all_rows_reads_a_table_with_policies() {
        String role = role("SELECT");
        postgres.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER ROLE %s BYPASSRLS".formatted(role));
        assertThat(source.count(source.describe("t"))).isEqualTo(100);
        drop(role);
    }

    /// What changed is told by system columns, which nobody thinks of granting.
    @ParameterizedTest
    @ValueSource(strings = {"SELECT (id, v, u)", "SELECT (id, v, u, xmin, ctid, tableoid)", "SELECT"})
    void a_role_that_may_read_some_columns_gets_what_changed_and_more_where_it_may_not_know(String right) {
        String role = role(right);
        SourceTable table = source.describe("t");
        String before = inSnapshot(Snapshot::moment).mark();
        postgres.execute("INSERT INTO t (id, v) VALUES (101, 'new')");
        CollectedPages changed = new CollectedPages(2, 100);
        long sent = source.pull(
                new Pull(
                        table,
                        List.of("id", "v"),
                        List.of("id"),
                        new Scope.Changed(Optional.of(before)),
                        100,
                        TableConfig.NumericStorage.TEXT,
                        TableConfig.TimestampStorage.ISO),
                changed);
        assertThat(sent).isEqualTo(right.endsWith("u)") ? 101 : 1);
        Optional<Boolean> kept = inSnapshot(
                snapshot -> snapshot.keepsRowsOf(table, snapshot.identity(table).orElseThrow(), 0));
        assertThat(kept.isPresent()).isEqualTo(!right.endsWith("u)"));
        drop(role);
    }

    /// What `version()` answers elsewhere, as the products' own pages and reports have it.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27 01:53:43, go1.19.10) | CockroachDB",
                "PostgreSQL 11.2-YB-2.20.1.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 16.0.6 | YugabyteDB",
                "PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6 | YugabyteDB",
                "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.63205 | Amazon Redshift",
                "PostgreSQL 12.12 (Greenplum Database 7.1.0 build commit:e7c2b1f) on x86_64-pc-linux-gnu | Greenplum",
                "PostgreSQL 9.5.0 on x86_64-unknown-linux-gnu (Materialize v0.100.0) | Materialize",
                "PostgreSQL 13.14.0-RisingWave-2.1.0 (abc) | RisingWave",
                "PostgreSQL 12.3, compiled by Visual C++ build 1914, 64-bit, QuestDB | QuestDB",
                "CrateDB 5.6.0 (built 1234567/2024-01-01T00:00:00Z, Linux 5.10 amd64, OpenJDK 21) | CrateDB",
                "Something else 1.0 | another product",
                "PostgreSQL 12.22 on x86_64-pc-linux-gnu | PostgreSQL 12.22, but the oldest supported version is 13",
            })
    void another_product_and_an_old_version_are_refused_by_name_before_anything_is_read(String version, String name) {
        saysItIs(version);
        assertThatThrownBy(() -> source.describe("t")).isInstanceOfSatisfying(PerigeeException.class, e -> {
            assertThat(e.fault()).isEqualTo(Fault.SOURCE_UNSUPPORTED);
            assertThat(e.getMessage())
                    .contains("it is " + name, "PostgreSQL 13 or newer", "docs/sources/postgresql.md");
        });
        assertThatThrownBy(() -> source.probe()).hasMessageContaining(name);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PostgreSQL 16.4 (Ubuntu 16.4-1.pgdg22.04+1) on x86_64-pc-linux-gnu | SELECT 1 | PostgreSQL 16.4",
                "PostgreSQL 15.4 on aarch64-unknown-linux-gnu | CREATE FUNCTION aurora_version() RETURNS int LANGUAGE sql AS $$SELECT 15$$ | PostgreSQL 15.4 (Amazon Aurora)",
                "PostgreSQL 15.2 (EnterpriseDB Advanced Server 15.2.0) on x86_64-pc-linux-gnu | SELECT 1 | PostgreSQL 15.2",
                "PostgreSQL 17beta1 on x86_64-pc-linux-gnu | SELECT 1 | PostgreSQL 17beta1",
            })
    void what_is_postgres_is_taken_and_named(String version, String with, String product) {
        saysItIs(version);
        postgres.execute(with);
        assertThat(source.probe().server().product()).isEqualTo(product);
        assertThat(source.count(source.describe("t"))).isEqualTo(100);
    }

    @Test
    void a_server_that_shows_everything_has_nothing_in_the_way() {
        SourceReport report = source.probe();
        assertThat(report.sight()).isEqualTo(Horizon.Sight.ALL);
        assertThat(report.obstacles()).isEmpty();
        assertThat(report.refused()).isEmpty();
        assertThat(report.answers())
                .containsKeys(
                        "pg_stat_activity",
                        "pg_prepared_xacts",
                        "pg_current_wal_insert_lsn",
                        "pg_control_system",
                        "pg_walfile_name");
        assertThat(report.server().user()).isEqualTo("postgres");
        assertThat(report.server().isPooled()).isFalse();
        assertThat(report.server().isStandby()).isFalse();
        proxy.inventing(() -> 7);
        source.close();
        source = new PostgresSource(TestPostgres.config(proxy.port(), postgres.database()));
        assertThat(source.probe().server().isPooled()).isTrue();
    }

    @Test
    void a_role_that_sees_no_other_sessions_is_told_the_grant_that_shows_them() {
        String role = role("SELECT");
        assertThat(source.probe().sight()).isEqualTo(Horizon.Sight.SOME);
        assertThat(inSnapshot(Snapshot::horizon).sight()).isEqualTo(Horizon.Sight.SOME);
        run(source.probe().obstacles());
        assertThat(source.probe().obstacles()).isEmpty();
        assertThat(inSnapshot(Snapshot::horizon).sight()).isEqualTo(Horizon.Sight.ALL);
        drop(role);
    }

    @Test
    void a_function_that_is_not_granted_is_told_with_its_grant() {
        postgres.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public");
        String role = role("SELECT");
        postgres.execute("GRANT pg_read_all_stats TO " + role);
        SourceReport report = source.probe();
        assertThat(report.refused()).containsExactly("pg_control_system");
        assertThat(report.sight()).isEqualTo(Horizon.Sight.ALL);
        assertThat(report.obstacles().getFirst().statements())
                .containsExactly("GRANT EXECUTE ON FUNCTION pg_control_system() TO \"%s\"".formatted(role));
        run(report.obstacles());
        source.close();
        source = new PostgresSource(postgres.configAs(role));
        assertThat(source.probe().obstacles()).isEmpty();
        drop(role);
    }

    @Test
    void tables_that_may_not_be_read_are_told_with_their_grants() {
        postgres.execute("""
                CREATE SCHEMA "Other"; CREATE TABLE "Other"."a b" (id int PRIMARY KEY); CREATE TABLE hidden (id int)""");
        String role = role("SELECT");
        postgres.execute("GRANT pg_read_all_stats TO " + role);
        assertThat(source.discover()).hasSize(1);
        assertThatThrownBy(() -> source.describe("hidden"))
                .hasMessageContaining("GRANT SELECT ON \"public\".\"hidden\" TO \"%s\"".formatted(role));
        run(source.probe().obstacles());
        assertThat(source.probe().obstacles()).isEmpty();
        assertThat(source.discover()).hasSize(3);
        drop(role);
    }

    /// Every statement that is named removes what it is named for.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "WRONG | ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO %1$s",
                "WRONG | CREATE ROLE %1$s_owner; ALTER TABLE t OWNER TO %1$s_owner; ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO %1$s",
                "WRONG | ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; GRANT SELECT ON t TO %1$s",
                "WRONG | ALTER TABLE t RENAME TO base; ALTER TABLE base ENABLE ROW LEVEL SECURITY; CREATE ROLE %1$s_owner; GRANT SELECT ON base TO %1$s_owner; CREATE VIEW t AS SELECT * FROM base; GRANT CREATE ON SCHEMA public TO %1$s_owner; ALTER VIEW t OWNER TO %1$s_owner; GRANT SELECT ON t TO %1$s",
                "WRONG | ALTER TABLE t RENAME TO base; ALTER TABLE base ENABLE ROW LEVEL SECURITY; GRANT SELECT ON base TO %1$s; CREATE VIEW t WITH (security_invoker) AS SELECT * FROM base; GRANT SELECT ON t TO %1$s",
                "WRONG | ALTER TABLE t RENAME TO base; ALTER TABLE base ENABLE ROW LEVEL SECURITY; CREATE ROLE %1$s_owner; GRANT SELECT ON base TO %1$s_owner; CREATE VIEW inside AS SELECT * FROM base; GRANT CREATE ON SCHEMA public TO %1$s_owner; ALTER VIEW inside OWNER TO %1$s_owner; CREATE VIEW t AS SELECT * FROM inside; GRANT SELECT ON t TO %1$s",
                "WRONG | CREATE ROLE %1$s_owner; ALTER TABLE t RENAME TO base; ALTER TABLE base OWNER TO %1$s_owner; ALTER TABLE base ENABLE ROW LEVEL SECURITY; GRANT SELECT ON base TO %1$s; CREATE VIEW inside WITH (security_invoker) AS SELECT * FROM base; CREATE VIEW t AS SELECT * FROM inside; GRANT SELECT ON t TO %1$s",
                "WRONG | ALTER TABLE t RENAME TO base; ALTER TABLE base ENABLE ROW LEVEL SECURITY; GRANT SELECT ON base TO %1$s; CREATE FUNCTION all_of_it() RETURNS SETOF base LANGUAGE sql STABLE AS $$SELECT * FROM base$$; CREATE VIEW t AS SELECT * FROM all_of_it(); GRANT SELECT ON t TO %1$s",
                "DEARER | GRANT SELECT (id, v, owner, u) ON t TO %1$s",
                "NOTE | GRANT SELECT (id, v, xmin, ctid, tableoid) ON t TO %1$s",
                "NOTE | ALTER TABLE t SET UNLOGGED; GRANT SELECT ON t TO %1$s",
                "NOTE | ALTER TABLE t ADD COLUMN n int GENERATED ALWAYS AS IDENTITY; GRANT SELECT ON t TO %1$s",
            })
    void what_stands_in_a_tables_way_is_gone_once_any_of_its_statements_was_run(Obstacle.Effect effect, String before) {
        String role = role("INSERT");
        for (String statement : before.formatted(role).split("; ")) postgres.execute(statement);
        List<Obstacle> obstacles = obstaclesOf("t");
        assertThat(obstacles).extracting(Obstacle::effect).containsExactly(effect);
        Obstacle only = obstacles.getFirst();
        assertThat(only.statements()).isNotEmpty();
        for (int i = only.statements().size() - 1; i >= 0; i--) {
            postgres.execute(only.statements().get(i));
            assertThat(obstaclesOf("t")).as(only.statements().get(i)).isEmpty();
            assertThat(only.statements().get(i)).doesNotContain("postgres"); // nobody is made a superuser
            if (only.statements().get(i).startsWith("GRANT \"%s_owner".formatted(role))) {
                postgres.execute("REVOKE %1$s_owner FROM %1$s".formatted(role));
                assertThat(obstaclesOf("t")).isNotEmpty();
            }
        }
        source.close();
        postgres.execute("""
                DO $$ BEGIN IF to_regrole('%1$s_owner') IS NOT NULL THEN
                    DROP OWNED BY %1$s_owner CASCADE; DROP ROLE %1$s_owner; END IF; END $$""".formatted(role));
        drop(role);
    }

    @Test
    void a_table_that_somebody_has_locked_is_told_so_and_the_others_are_looked_at() throws SQLException {
        postgres.execute("CREATE UNLOGGED TABLE other (id int PRIMARY KEY)");
        try (Connection migration = postgres.connect();
                Statement statement = migration.createStatement()) {
            migration.setAutoCommit(false);
            statement.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
            Map<TableId, List<Obstacle>> obstacles = source.obstacles(source.discover());
            assertThat(obstacles.get(new TableId("public", "t")).getFirst().what())
                    .contains("locked");
            assertThat(obstacles.get(new TableId("public", "other")).getFirst().what())
                    .contains("unlogged");
        }
    }

    /// The extension cannot be had here; that it is installed is all that Perigee asks of it.
    @Test
    void with_citus_nothing_is_proved_by_transaction_numbers() {
        installed("citus");
        String before = inSnapshot(Snapshot::moment).mark();
        assertThat(source.probe().sight()).isEqualTo(Horizon.Sight.ONE_OF_MANY);
        assertThat(changedSince(before)).isEqualTo(100);
    }

    /// The extension cannot be had here: a parent with a child in its schema plays the hypertable, and a role without
    /// the right to system columns plays chunks that do not have them.
    @Test
    void a_hypertable_has_the_key_of_its_parent_and_is_read_whole_where_rows_do_not_tell_what_changed() {
        postgres.execute(
                "CREATE SCHEMA _timescaledb_internal; CREATE TABLE _timescaledb_internal.chunk () INHERITS (t)");
        assertThat(source.describe("t").key().columns()).isEmpty();
        installed("timescaledb");
        assertThat(source.describe("t").key().columns()).containsExactly("id");
        assertThat(source.probe().obstacles()).extracting(Obstacle::effect).containsExactly(Obstacle.Effect.NOTE);
        String role = role("SELECT (id, v)");
        String before = inSnapshot(Snapshot::moment).mark();
        assertThat(changedSince(before)).isEqualTo(100);
        drop(role);
    }

    private long changedSince(String mark) {
        return source.pull(
                new Pull(
                        source.describe("t"),
                        List.of("id", "v"),
                        List.of("id"),
                        new Scope.Changed(Optional.of(mark)),
                        100,
                        TableConfig.NumericStorage.TEXT,
                        TableConfig.TimestampStorage.ISO),
                new CollectedPages(2, 100));
    }

    private void installed(String extension) {
        postgres.execute("""
                SET allow_system_table_mods = on;
                INSERT INTO pg_catalog.pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
                VALUES (99999, '%s', 10, 11, false, '1')""".formatted(extension));
    }

    private List<Obstacle> obstaclesOf(String name) {
        SourceTable table = source.describe(name);
        return source.obstacles(List.of(table)).getOrDefault(table.id(), List.of());
    }

    private void run(List<Obstacle> obstacles) {
        for (Obstacle obstacle : obstacles)
            postgres.execute(obstacle.statements().getFirst());
    }

    private void saysItIs(String version) {
        postgres.execute("""
                ALTER FUNCTION pg_catalog.version() RENAME TO real_version;
                CREATE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql AS $$ SELECT '%s' $$""".formatted(version));
    }

    /// What a role or a database has as defaults changes neither values nor how long a load may take.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "idle_in_transaction_session_timeout = '200ms'",
                "transaction_timeout = '300ms'",
                "lock_timeout = '50ms'",
                "statement_timeout = '200ms'",
                "standard_conforming_strings = off",
                "datestyle = 'German'",
                "intervalstyle = 'sql_standard'",
                "search_path = ''",
                "lc_messages = 'C'",
                "extra_float_digits = -15",
                "bytea_output = 'escape'",
                "default_transaction_isolation = 'serializable'",
            })
    void a_setting_of_the_role_changes_nothing(String setting) throws Exception {
        postgres.execute("""
                CREATE TABLE v (k text PRIMARY KEY, a int[], d date, i interval, f float8, b bytea);
                INSERT INTO v VALUES ('a\\b''c', '[2:3]={1,2}', '2024-12-31', '1 day 02:00', 0.1, '\\x00ff'),
                    ('other', '{{1},{2}}', '2024-12-31', '1 year', 1e300, '\\x')""");
        SourceTable table = source.describe("public.v");
        List<String> expected = rows(table);
        String role = role("SELECT");
        postgres.execute("GRANT SELECT ON v TO %1$s; ALTER ROLE %1$s SET %2$s".formatted(role, setting));
        try (Connection locking = postgres.connect();
                Statement statement = locking.createStatement()) {
            locking.setAutoCommit(false);
            statement.execute("LOCK TABLE v IN ACCESS EXCLUSIVE MODE");
            Thread unlocking = Thread.ofVirtual().start(() -> {
                postgres.execute("SELECT pg_sleep(0.3)");
                try {
                    locking.commit();
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            long count = source.snapshot("a test", List.of(table.id()), snapshot -> {
                postgres.execute("SELECT pg_sleep(0.6)");
                return snapshot.count(table);
            });
            unlocking.join();
            assertThat(count).isEqualTo(2);
        }
        assertThat(rows(source.describe("public.v"))).isEqualTo(expected);
        drop(role);
    }

    private List<String> rows(SourceTable table) {
        CollectedPages pages = new CollectedPages(table.columns().size(), 100);
        source.pull(
                new Pull(
                        table,
                        table.columns().stream().map(column -> column.name()).toList(),
                        List.of("k"),
                        new Scope.ByKey(Optional.of(List.of("a\\a")), Optional.empty()),
                        100,
                        TableConfig.NumericStorage.TEXT,
                        TableConfig.TimestampStorage.ISO),
                pages);
        return pages.rows.stream().map(String::valueOf).toList();
    }

    private <T> T inSnapshot(Function<Snapshot, T> work) {
        return source.snapshot("a test", List.of(), work);
    }

    private String role(String right) {
        String role = postgres.database();
        postgres.execute(
                "CREATE ROLE %1$s LOGIN PASSWORD 'x'; GRANT %2$s ON t TO %1$s; GRANT CREATE ON SCHEMA public TO %1$s"
                        .formatted(role, right));
        source.close();
        source = new PostgresSource(postgres.configAs(role));
        return role;
    }

    private void drop(String role) {
        source.close();
        postgres.execute("DROP OWNED BY %1$s CASCADE; DROP ROLE %1$s".formatted(role));
    }
}
