package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Expression;
import dev.perigee.testing.TestPostgres;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A real PostgreSQL proves that a condition depends on the row only, and no text gets out of its parentheses.
class ExpressionCheckTest {
    private static TestPostgres postgres;
    private static PostgresSource source;

    @BeforeAll
    static void start() {
        postgres = TestPostgres.create();
        postgres.execute("""
                CREATE EXTENSION citext;
                CREATE TYPE mood AS ENUM ('good', 'bad');
                CREATE TABLE secrets (k int, s text);
                CREATE TABLE mono (k int);
                CREATE FUNCTION mine(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 1';
                CREATE TABLE t (id int PRIMARY KEY, status text, "Odd {name" text, v varchar(20), c char(3), mail citext,
                    amount numeric(12,2), d date, ts timestamp, at timestamptz, b boolean, j jsonb, tags text[],
                    m mood, u uuid, gone int, x bytea);
                ALTER TABLE t DROP COLUMN gone;
                CREATE VIEW seen AS SELECT * FROM t;
                CREATE ROLE half LOGIN;
                GRANT SELECT (id, status) ON t TO half""");
        source = new PostgresSource(postgres.config());
    }

    @AfterAll
    static void stop() {
        source.close();
        postgres.execute("DROP OWNED BY half; DROP ROLE half");
        postgres.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            status = 'open'                                                 | status
            b                                                               | b
            true                                                            |
            "Odd {name" IS NOT NULL AND NOT b                               | Odd {name b
            status IN ('a', 'b') OR v IN ('a', 'b') OR c = 'abc'            | status v c
            mail = 'SOMEBODY@EXAMPLE.ORG'                                   | mail
            amount BETWEEN 1 AND 2.5                                        | amount
            d >= '2026-01-01' AND d < DATE '2027-01-01'                     | d
            at > '2026-01-01T00:00:00Z' AND ts < '2026-01-01'               | at ts
            status = 'today' AND v = 'now'                                  | status v
            j @> '{"a": 1}' AND j ->> 'b' = 'c' AND j ? 'd'                 | j
            tags[1] = 'x' OR 'y' = ANY (tags) OR tags && ARRAY['a', 'b']    | tags
            tags @> '{a,b}'                                                 | tags
            m = 'good'                                                      | m
            u = '00000000-0000-0000-0000-000000000000'                      | u
            id % 4 = 0 AND abs(id) > 1 AND id::text LIKE '1%'               | id
            hashtext(status) % 16 = 3 AND md5(status) < '8'                 | status
            (id, status) = (1, 'x') AND status SIMILAR TO 'a%'              | id status
            coalesce(status, 'x') <> nullif(v, 'y')                         | status v
            status IS DISTINCT FROM v COLLATE "C"                           | status v
            CASE WHEN b THEN id > 1 WHEN id = 2 THEN false ELSE b END       | id b
            date_trunc('day', ts) = '2026-01-01' AND extract(year FROM d) > 2000 | d ts
            (status ~ '^[a-z]+$') IS NOT TRUE                               | status
            length(x) > 3 AND octet_length(status) < 10                     | x status
            r.id = 1                                                        | id
            status = ');--/*$$"'                                            | status""")
    void a_condition_on_the_row_is_taken(String where, String columns) {
        Expression slice = slice(source, "t", where);
        assertThat(slice.text()).isEqualTo(where);
        assertThat(slice.columns().stream().map(Expression.Used::name)).containsExactlyInAnyOrder(names(columns));
        assertThat(slice(source, "seen", where).columns()).hasSameSizeAs(slice.columns());
    }

    private static String[] names(String columns) {
        if (columns == null) return new String[0];
        return columns.replace("Odd {name", "Odd~{name").transform(s -> {
            String[] names = s.split(" ");
            for (int i = 0; i < names.length; i++) names[i] = names[i].replace('~', ' ');
            return names;
        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            at > now()                                            | not immutable
            at > statement_timestamp() - interval '1 day'         | not immutable
            at > clock_timestamp()                                | not immutable
            random() > 0.5                                        | not immutable
            status = current_setting('x.y', true)                 | not immutable
            pg_sleep(1) IS NULL                                   | not immutable
            nextval('pg_catalog.pg_class') > 1                    | not immutable
            at::date = '2026-01-01'                               | not immutable
            to_char(at, 'YYYY') = '2026'                          | not immutable
            at > DATE '2026-01-01'                                | not immutable
            date_trunc('day', at) = '2026-01-01'                  | not immutable
            d > current_date                                      | CURRENT_DATE
            status = current_user                                 | CURRENT_USER
            status = session_user                                 | CURRENT_USER
            at > 'now'                                            | a word that means the time
            d = ' Today'                                          | a word that means the time
            ts < 'yesterday 10:00'                                | a word that means the time
            d = ANY ('{tomorrow}')                                | a word that means the time
            at > TIMESTAMPTZ 'now'                                | a word that means the time
            at::text > '2026'                                     | depends on settings of the session
            d = status::date                                      | depends on settings of the session
            'pg_class'::regclass = id                             | may read differently
            id IN (SELECT k FROM secrets)                         | sub-select
            EXISTS (SELECT 1 FROM secrets)                        | sub-select
            (SELECT true)                                         | sub-select
            SELECT true                                           | sub-select
            (WITH w AS (SELECT 1) SELECT true FROM w)             | sub-select
            (TABLE mono) IS NULL                               | sub-select
            ARRAY(SELECT k FROM secrets) IS NULL                  | sub-select
            count(*) > 1                                          | aggregate
            max(id) = 1                                           | aggregate
            row_number() OVER () = 1                              | window
            generate_series(1, 2) > 1                             | several rows
            unnest(tags) = 'a'                                    | several rows
            xmin = '1'                                            | system column
            ctid = '(0,1)'                                        | system column
            tableoid = 1                                          | system column
            r IS NULL                                             | row as a whole
            r = r                                                 | row as a whole
            mine(id)                                              | may replace
            public.mine(id)                                       | may replace
            id = $1                                               | parameter
            ROW(id, b) IS NOT NULL                                | cannot be proven
            greatest(id, 2) > 3                                   | GREATEST
            query_to_xml('DROP TABLE secrets', true, true, '') IS NULL | not immutable
            pg_read_file('/etc/passwd') = ''                      | not immutable
            id                                                    | not a boolean
            NULL                                                  | not a boolean
            'true'                                                | not a boolean
            other.id = 1                                          | cannot read
            t.id = 1                                              | cannot read
            secrets.k = 1                                         | cannot read
            gone = 1                                              | SOURCE_COLUMN_MISSING
            1 / 0 = 1                                             | cannot read""")
    void what_may_change_while_the_row_stays_is_refused(String where, String why) {
        refused(where, why);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            true; DROP TABLE secrets                         | character ;
            true); DROP TABLE secrets; --                    | not open
            true) OR (true                                   | not open
            true)) OR ((true                                 | not open
            true) FROM secrets UNION SELECT (s               | not open
            true) UNION ALL SELECT s::boolean FROM secrets WHERE (true | not open
            (true                                            | not closed
            tags[1 = 'x'                                     | not closed
            tags[1) = 'x'                                    | not open
            true -- rest                                     | comment
            true /* rest                                     | comment
            true /* */                                       | comment
            status = 'open                                   | quote is not closed
            status = 'open''                                 | quote is not closed
            "status = 1                                      | quote is not closed
            status = '\\' OR true --'                        | backslash
            status = E'x'                                    | another form
            status = e'x'                                    | another form
            status = $$x$$                                   | another form
            status = $a$x$a$                                 | another form
            status = U&'!0074' UESCAPE '!'                   | Unicode escape
            U&"status" = 'x'                                 | Unicode escape
            id = $                                           | character $
            true AS x, secrets                               | cannot read
            true, true                                       | cannot be proven
            true FROM secrets                                | cannot read
            true LIMIT 1                                     | cannot read
            DISTINCT true                                    | cannot read
            *                                                | cannot read
            b INTO secrets                                   | cannot read
            b WHERE true                                     | cannot read
            VALUES (true)                                    | sub-select
            b = :b                                           | cannot read""")
    void no_text_gets_out_of_its_parentheses(String where, String why) {
        refused(where, why);
    }

    @ParameterizedTest
    @ValueSource(strings = {"b\0", "b\u0001", "b\u007f"})
    void control_characters_are_refused(String where) {
        refused(where, "control character");
    }

    @Test
    void two_constants_on_two_lines_are_one() {
        refused("d = 'to'\n'day'", "a word that means the time");
    }

    @Test
    void a_column_that_the_role_may_not_read_is_refused() {
        try (PostgresSource half = new PostgresSource(postgres.configAs("half"))) {
            assertThat(slice(half, "t", "status = 'a'").columns()).hasSize(1);
            assertThatThrownBy(() -> slice(half, "t", "amount > 1"))
                    .isInstanceOf(PerigeeException.class)
                    .hasMessageContaining("SOURCE_PERMISSION");
        }
    }

    private static void refused(String where, String why) {
        assertThatThrownBy(() -> slice(source, "t", where))
                .as(where)
                .isInstanceOf(PerigeeException.class)
                .hasMessageContaining(why)
                .hasMessageContaining("where");
        assertThat(source.query("SELECT count(*) FROM secrets", java.util.List.of(), new CollectedAnswer()))
                .isEqualTo(-1);
    }

    private static Expression slice(PostgresSource source, String table, String where) {
        TableConfig config = TableConfig.of(table, TableConfig.Mode.FULL, Duration.ofSeconds(1)).toBuilder()
                .where(Optional.of(where))
                .build();
        return source.describe(config).access().slice().orElseThrow();
    }
}
