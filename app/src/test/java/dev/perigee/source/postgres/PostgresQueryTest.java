package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.Value;
import dev.perigee.testing.TestPostgres;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Callers' own statements against a real server.
@Timeout(300)
class PostgresQueryTest {
    private static TestPostgres postgres;
    private static PostgresSource source;

    @BeforeAll
    static void start() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
        postgres.execute(
                "CREATE TABLE t (id int PRIMARY KEY, name text, amount numeric(12,2), j jsonb, at timestamptz)");
    }

    @AfterAll
    static void stop() {
        source.close();
        postgres.close();
    }

    @Test
    void values_are_those_that_a_pull_stores() {
        postgres.execute("""
                CREATE TABLE typed (id int PRIMARY KEY, a int2, b int8, c bool, d float4, e float8, f numeric,
                    g numeric(12,2), h text, i char(5), j varchar(5), k bytea, l uuid, m date, n time, o timetz,
                    p timestamp, q timestamptz, r interval, s json, t jsonb, u inet, v oid, w "char", x name, y money);
                INSERT INTO typed VALUES
                    (1, -7, 9223372036854775807, true, 0.1, 0.1, 12345678901234567890.123, 12.50, 'ä''x', 'ab', 'v',
                     '\\x00ff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2024-02-29', '12:34:56.7', '12:34:56.789+05:30',
                     '2024-01-01 00:00:06.172835', '2024-01-01 00:00:06.1+02', '1 year 2 days 03:04:05.6', '{"a": 1}',
                     '{"b":  2}', '10.0.0.1', 42, 'c', 'n', 5),
                    (2, 7, -9223372036854775808, false, 'NaN', 'Infinity', 'NaN', 0, '', '', '', '', NULL, '0044-03-15 BC',
                     '24:00', '00:00-12', 'infinity', '-infinity', '0', 'null', '[]', '::1/64', 0, '', '', 0),
                    (3, 0, 0, NULL, 1e-30, -0.0, 1e30, -0.01, NULL, '  x', ' ', NULL, NULL, 'infinity', '00:00', NULL,
                     '12024-01-01 00:00:00', '0001-01-01 00:00:00+00 BC', '-1 mon +2 days -3 hours', NULL, '1', NULL,
                     4294967295, NULL, NULL, NULL)""");
        SourceTable table = source.describe("typed");
        List<String> names = table.columns().stream().map(SourceColumn::name).toList();
        Pull pull = new Pull(
                table,
                names,
                List.of("id"),
                new Scope.After("id", Optional.empty()),
                10,
                NumericStorage.EXACT,
                TimestampStorage.ISO);
        CollectedAnswer answer = query("SELECT * FROM typed ORDER BY id");
        try (CollectedPages pages = new CollectedPages(names.size(), 10)) {
            source.pull(pull, pages);
            for (int row = 0; row < 3; row++) {
                for (int i = 0; i < names.size(); i++) {
                    Value pulled = pages.rows.get(row).get(i);
                    assertThat(answer.rows.get(row).get(i))
                            .as("%s of row %d", names.get(i), row)
                            .isEqualTo(pulled);
                }
            }
        }
    }

    @Test
    void a_users_type_that_is_called_as_a_built_in_one_is_text() {
        postgres.execute("""
                CREATE TYPE "numeric" AS ENUM ('1.50'); CREATE TYPE "bool" AS (a int);
                CREATE TYPE "int8" AS ENUM ('007'); CREATE TYPE bpchar AS ENUM ('x ')""");
        assertThat(query("SELECT '1.50'::public.numeric, '(1)'::public.bool, '007'::public.int8, 'x '::public.bpchar")
                        .rows)
                .containsExactly(List.of(
                        new Value.Text("1.50"), new Value.Text("(1)"), new Value.Text("007"), new Value.Text("x ")));
    }

    @Test
    void parameters_take_the_type_of_their_place() {
        List<Value> parameters = List.of(
                new Value.Int(1),
                new Value.Text("Ann"),
                new Value.Real(12.5),
                new Value.Text("{\"a\": 1}"),
                new Value.Text("2024-01-01T00:00:00Z"));
        assertThat(source.query("INSERT INTO t VALUES ($1, $2, $3, $4, $5)", parameters, new CollectedAnswer()))
                .isEqualTo(1);
        CollectedAnswer answer = query("SELECT name, amount, at FROM t WHERE id = ?", new Value.Int(1));
        assertThat(answer.rows)
                .containsExactly(List.of(
                        new Value.Text("Ann"), new Value.Real(12.5), new Value.Text("2024-01-01T00:00:00.000000Z")));
        assertThat(query("SELECT name FROM t WHERE j ? $1 AND id = $2", new Value.Text("a"), new Value.Int(1)).rows)
                .hasSize(1);
        assertThat(query("SELECT count(*) FROM t WHERE name IS NOT DISTINCT FROM ?", Value.Null.NULL).rows)
                .containsExactly(List.of(new Value.Int(0)));
        assertThat(query("SELECT encode(?::bytea, 'hex')", new Value.Blob(ByteBuffer.wrap(new byte[] {0, -1}))).rows)
                .containsExactly(List.of(new Value.Text("00ff")));
        assertThat(source.query("UPDATE t SET name = NULL", List.of(), new CollectedAnswer()))
                .isEqualTo(1);
        assertThat(source.query("DELETE FROM t", List.of(), new CollectedAnswer()))
                .isEqualTo(1);
    }

    @Test
    void a_number_used_twice_is_one_parameter_to_the_server() {
        assertThat(query(
                                "SELECT x % $1, count(*) FROM generate_series(1, 9) x GROUP BY x % $1 ORDER BY 1",
                                new Value.Int(3))
                        .rows)
                .hasSize(3);
    }

    @Test
    void names_are_the_servers_also_when_they_repeat() {
        CollectedAnswer answer = query("SELECT 1 AS \"A b\", 2 AS x, 3 AS x, 4 WHERE false");
        assertThat(answer.names).containsExactly(List.of("A b", "x", "x", "?column?"));
        assertThat(answer.rows).isEmpty();
    }

    @Test
    void an_answer_streams_and_can_be_stopped() {
        CollectedAnswer answer = new CollectedAnswer(3);
        assertThat(source.query("SELECT x FROM generate_series(1, 100000000) x", List.of(), answer))
                .isEqualTo(-1);
        assertThat(answer.rows).hasSize(3);
        assertThat(query("SELECT 1").rows).hasSize(1);
    }

    @Test
    void a_returning_statement_writes_and_answers() {
        CollectedAnswer answer = query("INSERT INTO t (id) VALUES (100), (101) RETURNING id");
        assertThat(answer.rows).hasSize(2);
        assertThat(query("DELETE FROM t RETURNING id").rows).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELEC 1 | at character 1 | 42601",
                "SELECT id, nope FROM t | at character 12 | 42703",
                "SELECT * FROM nope | at character 15 | 42P01",
                "SELECT '?', nope FROM t | at character 13 | 42703",
                "SELECT 1/0 | division by zero | 22012",
                "SELECT 'x'::int | invalid input syntax | 22P02",
                "INSERT INTO t (id) SELECT 1 FROM generate_series(1, 2) | duplicate key | 23505",
                "SELECT 1; SELECT 2 | one statement | ",
                "SELECT ? | expected 1 parameters | ",
                "COPY t TO STDOUT | use SELECT or INSERT | ",
                "copy t FROM STDIN (FORMAT binary) | use SELECT or INSERT | ",
                "COPY (SELECT 1) TO STDOUT | use SELECT or INSERT | ",
                "BEGIN | BEGIN is not allowed in it | ",
                "begin isolation level serializable | BEGIN is not allowed | ",
                "START TRANSACTION | START is not allowed | ",
                "/* x */ Commit | COMMIT is not allowed | ",
                "COMMIT PREPARED 'x' | COMMIT is not allowed | ",
                "/* BEGIN */ ;END | END is not allowed | ",
                "ROLLBACK | ROLLBACK is not allowed | ",
                "ROLLBACK TO s | ROLLBACK is not allowed | ",
                "ABORT | ABORT is not allowed | ",
                "SAVEPOINT s | SAVEPOINT is not allowed | ",
                "RELEASE s | RELEASE is not allowed | ",
                "PREPARE TRANSACTION 'x' | PREPARE TRANSACTION is not allowed | ",
                "VACUUM | cannot run inside a transaction block | 25001",
            })
    void an_error_in_the_statement_is_told_with_its_place(String sql, String said, String state) {
        assertThatThrownBy(() -> query(sql)).isInstanceOfSatisfying(PerigeeException.class, e -> {
            boolean isConstraint = state != null && state.startsWith("23");
            assertThat(e.fault())
                    .as(e.getMessage())
                    .isEqualTo(isConstraint ? Fault.CONSTRAINT : Fault.SOURCE_STATEMENT);
            assertThat(e.getMessage()).contains(said).contains(state == null ? "" : state);
        });
        assertThat(query("SELECT count(*) FROM t").rows).containsExactly(List.of(new Value.Int(0)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET statement_timeout = 7",
                "PREPARE p AS SELECT 1",
                "LISTEN l",
                "CREATE TEMP TABLE mine (id int)",
                "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            })
    void what_only_changes_the_session_is_gone_with_the_statement(String sql) {
        query(sql);
        assertThat(query("""
                SELECT current_setting('statement_timeout') = '7ms', to_regclass('mine') IS NULL,
                    (SELECT count(*) FROM pg_prepared_statements WHERE name = 'p'),
                    (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_cursors WHERE name = 'c')""").rows)
                .containsExactly(List.of(
                        new Value.Int(0), new Value.Int(1), new Value.Int(0), new Value.Int(0), new Value.Int(0)));
    }

    @Test
    void a_right_that_is_missing_is_named_whatever_it_is() {
        postgres.execute("CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT SELECT ON t TO reader");
        SourceConfig c = postgres.config();
        SourceConfig reader = new SourceConfig(
                c.type(),
                c.host(),
                c.port(),
                "reader",
                "r",
                c.database(),
                c.defaultSchema(),
                c.options(),
                new SourceConfig.Limits(
                        1, c.limits().connectTimeout(), c.limits().statementTimeout()));
        try (PostgresSource other = new PostgresSource(reader)) {
            for (String sql : List.of("INSERT INTO t (id) VALUES (1)", "SET ROLE postgres")) {
                assertThatThrownBy(() -> other.query(sql, List.of(), new CollectedAnswer()))
                        .isInstanceOfSatisfying(PerigeeException.class, e -> {
                            assertThat(e.fault()).isEqualTo(Fault.SOURCE_PERMISSION);
                            assertThat(e.getMessage())
                                    .contains("permission denied")
                                    .endsWith("To fix: grant the source's user the right that the message names.");
                        });
            }
        } finally {
            postgres.execute("DROP OWNED BY reader; DROP ROLE reader");
        }
    }

    @Test
    void tables_named_without_a_schema_are_those_of_the_default_schema() {
        postgres.execute("CREATE SCHEMA \"Shop 2\"; CREATE TABLE \"Shop 2\".only_here (id int)");
        SourceConfig c = postgres.config();
        SourceConfig shop = new SourceConfig(
                c.type(),
                c.host(),
                c.port(),
                c.user(),
                c.password(),
                c.database(),
                "Shop 2",
                c.options(),
                new SourceConfig.Limits(
                        1, c.limits().connectTimeout(), c.limits().statementTimeout()));
        try (PostgresSource other = new PostgresSource(shop)) {
            CollectedAnswer answer = new CollectedAnswer();
            other.query("SELECT count(*) FROM only_here, t", List.of(), answer);
            assertThat(answer.rows).containsExactly(List.of(new Value.Int(0)));
        }
    }

    private static CollectedAnswer query(String sql, Value... parameters) {
        CollectedAnswer answer = new CollectedAnswer();
        source.query(sql, List.of(parameters), answer);
        return answer;
    }
}
