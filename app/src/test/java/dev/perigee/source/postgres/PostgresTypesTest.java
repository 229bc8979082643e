package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.testing.TestPostgres;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The type table, row by row: a value goes through a real server and into SQLite, and what SQLite has then is
/// compared.
class PostgresTypesTest {
    /// @param type in SQL
    /// @param value an SQL expression
    /// @param declared the column's type in the copy
    /// @param stored `typeof(v) || ' ' || quote(v)` in the copy; a real is compared as a number
    record Case(
            String type,
            String value,
            String declared,
            String stored,
            NumericStorage numeric,
            TimestampStorage timestamps) {
        @Override
        public String toString() {
            String options = numeric == NumericStorage.EXACT && timestamps == TimestampStorage.ISO
                    ? ""
                    : " (%s, %s)".formatted(numeric, timestamps);
            return type + " " + (value.length() > 60 ? value.substring(0, 60) + "…" : value) + options;
        }
    }

    private static TestPostgres postgres;
    private static PostgresSource source;

    @BeforeAll
    static void start() {
        postgres = TestPostgres.create();
        createTypes(postgres);
        source = new PostgresSource(postgres.config());
    }

    static void createTypes(TestPostgres postgres) {
        postgres.execute("""
                CREATE EXTENSION citext;
                CREATE EXTENSION hstore;
                CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "fine"');
                CREATE TYPE pair AS (a int, "B b" text);
                CREATE DOMAIN price AS numeric(10,2);
                CREATE DOMAIN list_price AS price CHECK (VALUE >= 0);
                CREATE DOMAIN email AS citext;
                CREATE TYPE geometry;
                CREATE FUNCTION geometry_in(cstring) RETURNS geometry AS 'byteain' LANGUAGE internal IMMUTABLE STRICT;
                CREATE FUNCTION geometry_out(geometry) RETURNS cstring AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT;
                CREATE FUNCTION geometry_send(geometry) RETURNS bytea AS 'byteasend' LANGUAGE internal IMMUTABLE STRICT;
                CREATE TYPE geometry (INPUT = geometry_in, OUTPUT = geometry_out, SEND = geometry_send);
                CREATE DOMAIN many AS int[];
                CREATE TYPE all_in_one AS (j jsonb, d date, b bytea, c char(3), t timestamptz[], p pair, h hstore,
                    m int4multirange, n numeric);
                CREATE TYPE odd;
                CREATE FUNCTION odd_in(cstring) RETURNS odd AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
                CREATE FUNCTION odd_out(odd) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
                CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, INTERNALLENGTH = VARIABLE);
                """);
    }

    @AfterAll
    static void stop() {
        source.close();
        postgres.close();
    }

    static Stream<Case> cases() {
        List<Case> all = new ArrayList<>();
        integers(all);
        numbers(all);
        texts(all);
        times(all);
        structures(all);
        return all.stream();
    }

    private static void integers(List<Case> all) {
        add(all, "int2", "-32768", "INTEGER", "integer -32768");
        add(all, "int4", "2147483647", "INTEGER", "integer 2147483647");
        add(all, "int8", "'-9223372036854775808'", "INTEGER", "integer -9223372036854775808");
        add(all, "int8", "9223372036854775807", "INTEGER", "integer 9223372036854775807");
        add(all, "int8", "9007199254740993", "INTEGER", "integer 9007199254740993");
        add(all, "oid", "4294967295", "INTEGER", "integer 4294967295");
        add(all, "bool", "true", "BOOLEAN", "integer 1");
        add(all, "bool", "false", "BOOLEAN", "integer 0");
    }

    private static void numbers(List<Case> all) {
        add(all, "float4", "0.1", "REAL", "real 0.1");
        add(all, "float4", "16777217", "REAL", "real 16777216.0");
        add(all, "float4", "3.4028235e38", "REAL", "real 3.4028235e+38");
        add(all, "float4", "'1e-45'", "REAL", "real 1e-45");
        add(all, "float4", "'-3e-45'", "REAL", "real -3e-45");
        add(all, "float4", "'1.1754942e-38'", "REAL", "real 1.1754942e-38");
        add(all, "float4", "'NaN'", "REAL", "text 'NaN'");
        add(all, "float4", "'-Infinity'", "REAL", "real -9.0e+999");
        add(all, "float8", "0.1", "REAL", "real 0.1");
        add(all, "float8", "1e-300", "REAL", "real 1.0e-300");
        add(all, "float8", "1.7976931348623157e308", "REAL", "real 1.797693134862315708e+308");
        add(all, "float8", "'NaN'", "REAL", "text 'NaN'");
        add(all, "float8", "'Infinity'", "REAL", "real 9.0e+999");
        add(all, "float8", "'-0'", "REAL", "real 0.0");
        add(all, "numeric(12,2)", "12345.67", "DECIMAL(12,2)", "real 12345.67");
        add(all, "numeric(12,2)", "-0.01", "DECIMAL(12,2)", "real -0.01");
        add(all, "numeric(12,2)", "9999999999.99", "DECIMAL(12,2)", "real 9999999999.99");
        add(all, "numeric(12,2)", "100", "DECIMAL(12,2)", "integer 100");
        add(all, "numeric(12,2)", "0", "DECIMAL(12,2)", "integer 0");
        add(all, "numeric(12,2)", "'NaN'", "DECIMAL(12,2)", "text 'NaN'");
        add(all, "numeric(15,0)", "999999999999999", "DECIMAL(15,0)", "integer 999999999999999");
        add(all, "numeric(15,15)", "0.999999999999999", "DECIMAL(15,15)", "real 0.999999999999999");
        add(all, "numeric(3,-2)", "12345", "DECIMAL(3,-2)", "integer 12300");
        add(all, "numeric(3,5)", "0.00123", "DECIMAL(3,5)", "real 0.00123");
        add(all, "numeric(16,2)", "12345678901234.56", "", "text '12345678901234.56'");
        add(all, "numeric(16,2)", "1234567890123.50", "", "real 1234567890123.5");
        add(all, "numeric", "0", "", "integer 0");
        add(all, "numeric", "0.1", "", "real 0.1");
        add(all, "numeric", "10000", "", "integer 10000");
        add(all, "numeric", "120000000", "", "integer 120000000");
        add(all, "numeric", "-9223372036854775808", "", "integer -9223372036854775808");
        add(all, "numeric", "9223372036854775807", "", "integer 9223372036854775807");
        add(all, "numeric", "9223372036854775808", "", "text '9223372036854775808'");
        add(all, "numeric", "9220000000000000000", "", "integer 9220000000000000000");
        add(all, "numeric", "9230000000000000000", "", "real 9.23e+18");
        add(all, "numeric", "12345678901234567890.123", "", "text '12345678901234567890.123'");
        add(all, "numeric", "100000000000000000000", "", "real 1.0e+20");
        add(all, "numeric", "0.000000000000000000000000000001", "", "real 1.0e-30");
        add(all, "numeric", "1.000000000000001", "", "text '1.000000000000001'");
        add(all, "numeric", "1.00000000000001", "", "real 1.00000000000001");
        add(all, "numeric", "-1.50", "", "real -1.5");
        add(all, "numeric", "1e-305", "", "text '0." + "0".repeat(304) + "1'");
        add(all, "numeric", "repeat('9', 1000)::numeric", "", "text '" + "9".repeat(1000) + "'");
        add(all, "numeric", "'NaN'", "", "text 'NaN'");
        add(all, "numeric", "'Infinity'", "", "text 'Infinity'");
        add(all, "numeric", "'-Infinity'", "", "text '-Infinity'");
        numeric(all, NumericStorage.TEXT, "numeric(12,2)", "100", "TEXT", "text '100.00'");
        numeric(all, NumericStorage.TEXT, "numeric", "1.500", "TEXT", "text '1.500'");
        numeric(all, NumericStorage.TEXT, "numeric", "0", "TEXT", "text '0'");
        numeric(all, NumericStorage.REAL, "numeric(12,2)", "100", "REAL", "real 100.0");
        numeric(all, NumericStorage.REAL, "numeric", "12345678901234567890.123", "REAL", "real 12345678901234567168.0");
        numeric(all, NumericStorage.REAL, "numeric", "'NaN'", "REAL", "text 'NaN'");
        add(all, "list_price", "19.90", "DECIMAL(10,2)", "real 19.9");
    }

    private static void texts(List<Case> all) {
        add(all, "text", "''", "TEXT", "text ''");
        add(all, "text", "'123'", "TEXT", "text '123'");
        add(all, "text", "'ä€😀 it''s'", "TEXT", "text 'ä€😀 it''s'");
        add(all, "text", "E'back\\\\slash\\n'", "TEXT", "text 'back\\slash\n'");
        add(all, "varchar(5)", "'ab'", "TEXT", "text 'ab'");
        add(all, "char(5)", "'ab'", "TEXT", "text 'ab'");
        add(all, "\"char\"", "'x'", "TEXT", "text 'x'");
        add(all, "name", "'a name'", "TEXT", "text 'a name'");
        add(all, "citext", "'MiXed'", "TEXT", "text 'MiXed'");
        add(all, "email", "'A@b.c'", "TEXT", "text 'A@b.c'");
        add(all, "mood", "'it''s \"fine\"'", "TEXT", "text 'it''s \"fine\"'");
        add(
                all,
                "uuid",
                "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
                "TEXT",
                "text 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'");
        add(all, "inet", "'10.0.0.1/8'", "TEXT", "text '10.0.0.1/8'");
        add(all, "cidr", "'2001:db8::/32'", "TEXT", "text '2001:db8::/32'");
        add(all, "macaddr", "'08:00:2b:01:02:03'", "TEXT", "text '08:00:2b:01:02:03'");
        add(all, "macaddr8", "'08:00:2b:01:02:03:04:05'", "TEXT", "text '08:00:2b:01:02:03:04:05'");
        add(all, "tsvector", "'fat cat'", "TEXT", "text '''cat'' ''fat'''");
        add(all, "int4range", "'[1,5]'", "TEXT", "text '[1,6)'");
        add(all, "tstzrange", "'[2024-01-01 00:00+02,)'", "TEXT", "text '[\"2023-12-31 22:00:00+00\",)'");
        add(all, "bit(3)", "B'101'", "TEXT", "text '101'");
        add(all, "varbit", "B''", "TEXT", "text ''");
        add(all, "pg_lsn", "'16/B374D848'", "TEXT", "text '16/B374D848'");
        add(all, "jsonpath", "'$.a[*]'", "TEXT", "text '$.\"a\"[*]'");
        add(all, "regclass", "'pg_class'", "TEXT", "text 'pg_class'");
        add(all, "money", "12.5", "TEXT", "text '$12.50'");
        add(all, "point", "'(1,2)'", "TEXT", "text '(1,2)'");
        add(all, "int2vector", "'1 2 3'", "TEXT", "text '1 2 3'");
        add(all, "xid8", "'42'", "TEXT", "text '42'");
        add(all, "odd", "'as it is'", "TEXT", "text 'as it is'");
        add(all, "json", "'{\"b\": 1, \"a\":  [null]}'", "TEXT", "text '{\"b\": 1, \"a\":  [null]}'");
        add(all, "xml", "'<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>'", "TEXT", "text '<a/>'");
        add(all, "json", "'123'", "TEXT", "text '123'");
        add(all, "jsonb", "'{\"b\": 1, \"a\":  [null]}'", "TEXT", "text '{\"a\": [null], \"b\": 1}'");
        add(all, "jsonb", "'12345678901234567890.5'", "TEXT", "text '12345678901234567890.5'");
        add(all, "bytea", "'\\x00ff27'", "BLOB", "blob X'00FF27'");
        add(all, "bytea", "''", "BLOB", "blob X''");
        add(all, "geometry", "'\\x0101'", "BLOB", "blob X'0101'");
    }

    private static void times(List<Case> all) {
        add(all, "timestamptz", "'2024-01-01 02:00:06.172835+02'", "TEXT", "text '2024-01-01T00:00:06.172835Z'");
        add(all, "timestamptz", "'2024-02-29 23:59:59.999999Z'", "TEXT", "text '2024-02-29T23:59:59.999999Z'");
        add(all, "timestamptz", "'1969-12-31 23:59:59.5Z'", "TEXT", "text '1969-12-31T23:59:59.500000Z'");
        add(all, "timestamptz", "'infinity'", "TEXT", "text 'infinity'");
        add(all, "timestamptz", "'-infinity'", "TEXT", "text '-infinity'");
        add(all, "timestamptz", "'0044-03-15 12:00:00Z BC'", "TEXT", "text '-0043-03-15T12:00:00.000000Z'");
        add(all, "timestamptz", "'0001-12-31 12:00:00Z BC'", "TEXT", "text '0000-12-31T12:00:00.000000Z'");
        add(all, "timestamptz", "'0001-01-01 00:00:00Z'", "TEXT", "text '0001-01-01T00:00:00.000000Z'");
        add(all, "timestamptz", "'12024-01-01 00:00:00Z'", "TEXT", "text '+12024-01-01T00:00:00.000000Z'");
        add(all, "timestamptz", "'294276-12-31 23:59:59.999999Z'", "TEXT", "text '+294276-12-31T23:59:59.999999Z'");
        add(all, "timestamp", "'4713-11-24 00:00:00 BC'", "TEXT", "text '-4712-11-24T00:00:00.000000'");
        add(all, "timestamp", "'2024-01-01 00:00:06.172835'", "TEXT", "text '2024-01-01T00:00:06.172835'");
        add(all, "timestamp(0)", "'1900-03-01 00:00:00'", "TEXT", "text '1900-03-01T00:00:00.000000'");
        epoch(all, "timestamptz", "'1970-01-01 00:00:00.000001Z'", "integer 1");
        epoch(all, "timestamptz", "'1969-12-31 23:59:59Z'", "integer -1000000");
        epoch(all, "timestamp", "'2024-01-01 00:00:06.172835'", "integer 1704067206172835");
        epoch(all, "timestamptz", "'infinity'", "text 'infinity'");
        add(all, "date", "'2024-02-29'", "TEXT", "text '2024-02-29'");
        add(all, "date", "'infinity'", "TEXT", "text 'infinity'");
        add(all, "date", "'-infinity'", "TEXT", "text '-infinity'");
        add(all, "date", "'0044-03-15 BC'", "TEXT", "text '-0043-03-15'");
        add(all, "date", "'5874897-12-31'", "TEXT", "text '+5874897-12-31'");
        add(all, "time", "'04:05:06.7'", "TEXT", "text '04:05:06.700000'");
        add(all, "time", "'24:00'", "TEXT", "text '24:00:00.000000'");
        add(all, "timetz", "'04:05:06+05:30'", "TEXT", "text '04:05:06.000000+05:30'");
        add(all, "timetz", "'04:05:06-00:00:07'", "TEXT", "text '04:05:06.000000-00:00:07'");
        add(all, "interval", "'1 year 2 mons 3 days 04:05:06.7'", "TEXT", "text 'P1Y2M3DT4H5M6.7S'");
        add(all, "interval", "'-1 day 02:00'", "TEXT", "text 'P-1DT2H'");
    }

    private static void structures(List<Case> all) {
        add(all, "int[]", "'{1,NULL,3}'", "TEXT", "text '[1,null,3]'");
        add(all, "int[]", "'{}'", "TEXT", "text '[]'");
        add(all, "int[]", "'{{1,2},{3,4}}'", "TEXT", "text '[[1,2],[3,4]]'");
        add(all, "int[]", "'[0:1]={1,2}'", "TEXT", "text '{\"dims\" : \"[0:1]\", \"values\" : [1,2]}'");
        add(
                all,
                "text[]",
                "ARRAY['a\"b', 'it''s', E'\\\\', NULL]",
                "TEXT",
                "text '[\"a\\\"b\",\"it''s\",\"\\\\\",null]'");
        add(all, "int8[]", "'{9007199254740993}'", "TEXT", "text '[9007199254740993]'");
        add(all, "price[]", "'{1.50}'", "TEXT", "text '[1.50]'");
        add(all, "timestamptz[]", "'{2024-01-01 02:00+02}'", "TEXT", "text '[\"2024-01-01T00:00:00.000000Z\"]'");
        add(all, "timestamptz[]", "'{infinity,0044-03-15 12:00Z BC}'", "TEXT", """
                text '["infinity","-0043-03-15T12:00:00.000000Z"]'""");
        add(all, "date[]", "'{2024-02-29,0044-03-15 BC}'", "TEXT", "text '[\"2024-02-29\",\"-0043-03-15\"]'");
        add(all, "time[]", "'{{04:05,24:00}}'", "TEXT", "text '[[\"04:05:00.000000\",\"24:00:00.000000\"]]'");
        add(all, "bytea[]", "'{\"\\\\x00ff\",\"\",NULL}'", "TEXT", "text '[\"AP8=\",\"\",null]'");
        add(all, "char(3)[]", "'{EU,\" x\"}'", "TEXT", "text '[\"EU\",\" x\"]'");
        add(all, "float8[]", "'{0.1,NaN,-Infinity,1e300}'", "TEXT", "text '[0.1,\"NaN\",\"-Infinity\",1e+300]'");
        add(all, "numeric[]", "'{12345678901234567890.123,NaN}'", "TEXT", "text '[12345678901234567890.123,\"NaN\"]'");
        add(all, "bool[]", "'{t,f,NULL}'", "TEXT", "text '[true,false,null]'");
        add(all, "oid[]", "'{4294967295}'", "TEXT", "text '[4294967295]'");
        add(all, "text[]", "ARRAY['NULL', '', E'a\\n\\x01\\t', NULL, '{,}', 'é']", "TEXT", """
                text '["NULL","","a\\n\\u0001\\t",null,"{,}","é"]'""");
        add(all, "box[]", "'{(1,1),(0,0);(2,2),(1,1)}'", "TEXT", "text '[\"(1,1),(0,0)\",\"(2,2),(1,1)\"]'");
        add(
                all,
                "jsonb[]",
                "ARRAY['null'::jsonb, NULL, '\"null\"', '{\"json\": 1}', '[1]', '{\"a\": null}']",
                "TEXT",
                """
                text '[{"json":null},null,"null",{"json":{"json": 1}},{"json":[1]},{"a": null}]'""");
        add(all, "many[]", "ARRAY['{1,2}'::many]", "TEXT", "text '[[1,2]]'");
        add(all, "hstore[]", "ARRAY[hstore('a', '\"x') || hstore('b', NULL)]", "TEXT", """
                text '[{"a": "\\"x", "b": null}]'""");
        add(all, "geometry[]", "ARRAY['\\x0101'::geometry]", "TEXT", "text '[\"AQE=\"]'");
        add(all, "tstzrange[]", "'{\"[2024-01-01 02:00+02,)\"}'", "TEXT", """
                text '["[\\"2024-01-01 00:00:00+00\\",)"]'""");
        add(
                all,
                "all_in_one",
                "ROW('null', '2024-01-01', '\\x00', 'a', '{NULL}', ROW(1, 'a\"b'), 'x=>y', '{[1,2]}', 0.10)",
                "TEXT",
                """
                text '{"j":{"json":null},"d":"2024-01-01","b":"AA==","c":"a","t":[null],"p":{"a":1,"B b":"a\\"b"},\
                "h":{"x": "y"},"m":["[1,3)"],"n":0.10}'""");
        add(all, "all_in_one", "ROW(NULL, NULL, NULL, '', '{}', NULL, '', '{}', NULL)", "TEXT", """
                text '{"j":null,"d":null,"b":null,"c":"","t":[],"p":null,"h":{},"m":[],"n":null}'""");
        add(all, "jsonb[]", "ARRAY['{\"a\":1}'::jsonb]", "TEXT", "text '[{\"a\": 1}]'");
        add(all, "pair[]", "ARRAY[ROW(1,'x')::pair]", "TEXT", "text '[{\"a\":1,\"B b\":\"x\"}]'");
        add(all, "pair", "ROW(1, NULL)", "TEXT", "text '{\"a\":1,\"B b\":null}'");
        add(all, "hstore", "'a=>1, \"b c\"=>NULL'", "TEXT", "text '{\"a\": \"1\", \"b c\": null}'");
        add(all, "int4multirange", "'{[1,3),[5,7)}'", "TEXT", "text '[\"[1,3)\",\"[5,7)\"]'");
        add(all, "int4multirange", "'{}'", "TEXT", "text '[]'");
    }

    private static void add(List<Case> all, String type, String value, String declared, String stored) {
        all.add(new Case(type, value, declared, stored, NumericStorage.EXACT, TimestampStorage.ISO));
    }

    private static void numeric(
            List<Case> all, NumericStorage numeric, String type, String value, String declared, String stored) {
        all.add(new Case(type, value, declared, stored, numeric, TimestampStorage.ISO));
    }

    private static void epoch(List<Case> all, String type, String value, String stored) {
        all.add(new Case(type, value, "INTEGER", stored, NumericStorage.EXACT, TimestampStorage.EPOCH_MICROS));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void a_value_is_stored_as_the_type_table_says(Case wanted) {
        SourceTable table = table(wanted.type(), wanted.value());
        SourceColumn column = table.column("v").orElseThrow();
        String declared = column.declaredType(wanted.numeric(), wanted.timestamps());
        try (CollectedPages pages = pull(table, "id", Optional.empty(), wanted);
                SqliteConnection sqlite = SqliteConnection.openInMemory()) {
            assertThat(declared).isEqualTo(wanted.declared());
            assertThat(pages.rows).hasSize(2);
            sqlite.exec("CREATE TABLE t (id INTEGER, v %s)".formatted(declared));
            try (SqliteStatement insert = sqlite.prepare("INSERT INTO t VALUES (?1, ?2)");
                    SqliteStatement select =
                            sqlite.prepare("SELECT typeof(v) || ' ' || quote(v), v FROM t ORDER BY id")) {
                for (var row : pages.rows)
                    insert.bind(1, row.getFirst()).bind(2, row.getLast()).run();
                select.step();
                if (wanted.stored().startsWith("real ")) {
                    assertThat(select.type(1)).isEqualTo(SqliteStatement.Type.REAL);
                    assertThat(select.realAt(1))
                            .isEqualTo(Double.parseDouble(wanted.stored().substring("real ".length())));
                } else {
                    assertThat(select.textAt(0)).isEqualTo(wanted.stored());
                }
                select.step();
                assertThat(select.textAt(0)).as("NULL").isEqualTo("null NULL");
            }
        }
    }

    /// What a cursor is made of: its text, cast back by the source, must be the very same value.
    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void a_value_that_is_a_cursor_is_cast_back_to_itself(Case wanted) {
        SourceTable table = table(wanted.type(), wanted.value());
        if (!table.column("v").orElseThrow().isOrdered()) return;
        try (CollectedPages first = pull(table, "v", Optional.empty(), wanted)) {
            assertThat(first.rows).hasSize(1);
            HighWaterMark mark = first.marks.getFirst();
            try (CollectedPages after = pull(table, "v", Optional.of(mark), wanted);
                    CollectedPages sameValue = pull(table, "v", Optional.of(withKey(mark, "0")), wanted)) {
                assertThat(after.rows).as("rows after %s", mark).isEmpty();
                assertThat(sameValue.rows).as("the row itself, by its key").hasSize(1);
            }
        }
    }

    @Test
    void a_type_nobody_knows_is_kept_as_text_and_the_table_says_so() {
        SourceTable table = table("odd", "'x'");
        assertThat(table.column("v").orElseThrow().note())
                .hasValueSatisfying(note -> assertThat(note).contains("odd").contains("text"));
        assertThat(table("citext", "'x'").column("v").orElseThrow().note()).isEmpty();
    }

    private static HighWaterMark withKey(HighWaterMark mark, String key) {
        return new HighWaterMark(mark.cursor(), List.of(key));
    }

    /// A table with the value in row 1 and NULL in row 2.
    private static SourceTable table(String type, String value) {
        postgres.execute("""
                DROP TABLE IF EXISTS t;
                CREATE TABLE t (id int PRIMARY KEY, v %s);
                INSERT INTO t VALUES (1, %s), (2, NULL);
                """.formatted(type, value));
        return source.describe("t");
    }

    private static CollectedPages pull(SourceTable table, String cursor, Optional<HighWaterMark> after, Case wanted) {
        CollectedPages pages = new CollectedPages(2, 100);
        source.pull(
                new Pull(
                        table,
                        List.of("id", "v"),
                        List.of("id"),
                        new Scope.After(cursor, after),
                        100,
                        wanted.numeric(),
                        wanted.timestamps()),
                pages);
        return pages;
    }
}
