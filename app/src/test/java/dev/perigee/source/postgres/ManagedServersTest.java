package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Horizon;
import dev.perigee.source.Moment;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
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
                "pg_current_wal_lsn() RETURNS pg_lsn | 55000",
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
                        ? snapshot.identity(table).orElseThrow().system()
                        : function.startsWith("pg_walfile")
                                ? snapshot.identity(table)
                                        .orElseThrow()
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
            assertThat(horizon.seals(new Moment(Instant.now(), "1:1"), java.time.Duration.ZERO))
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

    private <T> T inSnapshot(Function<Snapshot, T> work) {
        return source.snapshot("a test", List.of(), work);
    }

    private String role(String right) {
        String role = postgres.database();
        postgres.execute(
                "CREATE ROLE %1$s LOGIN PASSWORD 'x'; GRANT %2$s ON t TO %1$s; GRANT CREATE ON SCHEMA public TO %1$s"
                        .formatted(role, right));
        SourceConfig config = postgres.config();
        source.close();
        source = new PostgresSource(new SourceConfig(
                config.type(),
                config.host(),
                config.port(),
                role,
                "x",
                config.database(),
                config.defaultSchema(),
                config.options(),
                config.maxConnections(),
                config.connectTimeout(),
                config.statementTimeout()));
        return role;
    }

    private void drop(String role) {
        source.close();
        postgres.execute("DROP OWNED BY %1$s CASCADE; DROP ROLE %1$s".formatted(role));
    }
}
