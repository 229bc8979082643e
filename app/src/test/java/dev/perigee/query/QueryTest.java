package dev.perigee.query;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static dev.perigee.testing.ServedStore.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.testing.Contract;
import dev.perigee.testing.ServedStore;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// `POST /query` and `POST /query/raw` as StarbaseDB's clients know them.
class QueryTest {
    @TempDir
    static Path directory;

    static ServedStore served;

    @BeforeAll
    static void open() {
        served = new ServedStore(directory);
    }

    @AfterAll
    static void close() {
        served.close();
    }

    @BeforeEach
    void createTable() {
        served.query("DROP TABLE IF EXISTS t");
        served.query("DROP TABLE IF EXISTS u");
        served.query("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n)");
    }

    @Test
    @Contract({
        "Kept: answers are {\"result\": …} or {\"error\": \"…\"}, the absent member left out",
        "Kept: POST /query answers an array of row objects"
    })
    void rows_are_objects() {
        served.query("INSERT INTO t VALUES (1, 'a', 1.5), (2, 'b', NULL)");
        assertThat(served.query("SELECT * FROM t ORDER BY id")).hasToString("""
                        {"result":[{"id":1,"name":"a","n":1.5},{"id":2,"name":"b","n":null}]}""");
    }

    @Test
    @Contract({"Kept: POST /query/raw answers columns, rows and meta, DDL included", "Different: meta has true counts"})
    void raw_answers_have_columns_rows_and_true_counts() {
        assertThat(served.raw("INSERT INTO t (name) VALUES ('a'), ('b')")).hasToString("""
                        {"result":{"columns":[],"rows":[],"meta":{"rows_read":0,"rows_written":2}}}""");
        assertThat(served.raw("SELECT id, name FROM t")).hasToString("""
                        {"result":{"columns":["id","name"],"rows":[[1,"a"],[2,"b"]],"meta":{"rows_read":2,"rows_written":0}}}""");
        assertThat(served.raw("CREATE TABLE u (a)").at("/result/meta"))
                .hasToString("{\"rows_read\":0,\"rows_written\":0}");
        assertThat(served.raw("DELETE FROM t").at("/result/meta/rows_written").asLong())
                .isEqualTo(2);
    }

    @Test
    @Contract("Different: columns are there for empty results, and duplicates are kept in raw")
    void an_empty_result_keeps_its_columns() {
        assertThat(served.raw("SELECT id, name AS label FROM t").at("/result/columns"))
                .hasToString("[\"id\",\"label\"]");
    }

    @Test
    @Contract("Different: columns are there for empty results, and duplicates are kept in raw")
    void raw_keeps_columns_that_share_a_name_and_objects_have_the_last() {
        assertThat(served.raw("SELECT 1 AS a, 2 AS b, 3 AS a").at("/result")).hasToString("""
                        {"columns":["a","b","a"],"rows":[[1,2,3]],"meta":{"rows_read":1,"rows_written":0}}""");
        assertThat(served.query("SELECT 1 AS a, 2 AS b, 3 AS a")).hasToString("{\"result\":[{\"b\":2,\"a\":3}]}");
    }

    @Test
    @Contract("Different: int64, doubles and blobs are exact")
    void integers_are_exact_blobs_are_base64_and_infinity_is_text() {
        HttpResponse<String> answer = served.post("/query", CLIENT, """
                {"sql": "SELECT ? AS big, ? AS small, x'00ff10' AS blob, 9e999 AS inf, -9e999 AS minus, typeof(?1) AS type",
                 "params": [9223372036854775807, -9223372036854775808]}""");
        assertThat(answer.body())
                .isEqualTo("{\"result\":[{\"big\":9223372036854775807,\"small\":-9223372036854775808,"
                        + "\"blob\":\"AP8Q\",\"inf\":\"Infinity\",\"minus\":\"-Infinity\",\"type\":\"integer\"}]}");
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
    }

    @Test
    void a_number_that_fits_no_sqlite_integer_is_refused_rather_than_rounded() {
        HttpResponse<String> answer =
                served.post("/query", CLIENT, "{\"sql\": \"SELECT ?\", \"params\": [9223372036854775808]}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("out of range");
    }

    @Test
    void a_fraction_of_more_digits_than_a_real_has_is_refused_rather_than_rounded() {
        HttpResponse<String> kept = served.post(
                "/query", CLIENT, "{\"sql\": \"SELECT ? AS a, ? AS b\", \"params\": [0.30000000000000004, 1.50]}");
        assertThat(kept.body()).isEqualTo("{\"result\":[{\"a\":0.30000000000000004,\"b\":1.5}]}");
        for (String number : List.of("12345678901234567890.123", "1e400", "1e-400", "1e99999999999")) {
            HttpResponse<String> refused =
                    served.post("/query", CLIENT, "{\"sql\": \"SELECT ?\", \"params\": [%s]}".formatted(number));
            assertThat(refused.statusCode()).as(number).isEqualTo(400);
            assertThat(refused.body()).contains("send it as a string");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"sql\":\"SELECT ? AS a, ? AS b\",\"params\":[1,\"x\"]}",
                "{\"sql\":\"SELECT ?1 AS a, ?2 AS b\",\"params\":[1,\"x\"]}",
                "{\"sql\":\"SELECT $1 AS a, $2 AS b\",\"params\":[1,\"x\"]}",
                "{\"sql\":\"SELECT a, b FROM (SELECT $2 AS b, $1 AS a)\",\"params\":[1,\"x\"]}",
                "{\"sql\":\"SELECT :a AS a, @b AS b\",\"params\":{\"a\":1,\"b\":\"x\",\"c\":0}}",
                "{\"sql\":\"SELECT $a AS a, :b AS b\",\"params\":{\"$a\":1,\":b\":\"x\"}}",
                "{\"sql\":\"SELECT :a AS a, :b AS b\",\"params\":[1,\"x\"]}",
                "{\"sql\":\"SELECT 1 AS a, 'x' AS b\",\"params\":null}",
                "{\"params\":[],\"other\":{\"sql\":[1,{}]},\"sql\":\"SELECT 1 AS a, 'x' AS b; -- done\\n;\"}",
            })
    @Contract("Kept: parameters are positional, ? or $1, or an object of names")
    void parameters_are_bound_by_place_or_by_name(String body) {
        assertThat(served.post("/query", CLIENT, body).body()).isEqualTo("{\"result\":[{\"a\":1,\"b\":\"x\"}]}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"sql\":\"SELECT ?\",\"params\":[]}",
                "{\"sql\":\"SELECT ?\",\"params\":[1,2]}",
                "{\"sql\":\"SELECT :a\",\"params\":{\"b\":1}}",
                "{\"sql\":\"SELECT ?\",\"params\":{\"b\":1}}",
                "{\"sql\":\"SELECT ?\",\"params\":[[1]]}",
                "{\"sql\":\"SELECT ?\",\"params\":[1e999]}",
            })
    void parameters_that_do_not_fit_are_refused(String body) {
        HttpResponse<String> answer = served.post("/query", CLIENT, body);
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).containsAnyOf("params", "arameter");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"sql\":\"\"}",
                "{\"sql\":\"  \"}",
                "{\"sql\":5}",
                "{\"sql\":\"-- nothing\"}",
                "{\"transaction\":[]}",
                "{\"transaction\":[{\"params\":[]}]}",
                "{\"transaction\":[1]}",
                "{\"transaction\":7}"
            })
    @Contract("Kept: an empty sql is 400 with the original's message")
    void an_empty_statement_is_refused_in_the_words_clients_know(String body) {
        HttpResponse<String> answer = served.post("/query", CLIENT, body);
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).isEqualTo("{\"error\":\"Invalid or empty \\\"sql\\\" field.\"}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "\"x\"", "true"})
    @Contract("Kept: wrong params are 400 with the original's message")
    void params_of_another_kind_are_refused_in_the_words_clients_know(String params) {
        HttpResponse<String> answer = served.post("/query", CLIENT, "{\"sql\":\"SELECT 1\",\"params\":" + params + "}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body())
                .isEqualTo("{\"error\":\"Invalid \\\"params\\\" field. Must be an array or object.\"}");
    }

    @Test
    @Contract("Kept: a wrong content type is 400 with the original's message")
    void another_content_type_is_refused_in_the_words_clients_know() {
        HttpResponse<String> answer = served.send(served.request("/query", CLIENT)
                .header("Content-Type", "text/plain")
                .POST(BodyPublishers.ofString("{\"sql\":\"SELECT 1\"}"))
                .build());
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).isEqualTo("{\"error\":\"Content-Type must be application/json.\"}");
    }

    @Test
    void a_content_type_may_have_parameters() {
        HttpResponse<String> answer = served.send(served.request("/query", CLIENT)
                .header("Content-Type", "Application/JSON; charset=utf-8")
                .POST(BodyPublishers.ofString("{\"sql\":\"SELECT 1 AS a\"}"))
                .build());
        assertThat(answer.body()).isEqualTo("{\"result\":[{\"a\":1}]}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{\"sql\":\"SELECT 1\"} x", "[]", "{\"sql\": tru}"})
    void what_is_not_a_json_object_is_refused(String body) {
        assertThat(served.post("/query", CLIENT, body).statusCode()).isEqualTo(400);
    }

    @Test
    void a_mistake_in_sql_is_400_and_says_where() {
        HttpResponse<String> answer = served.post("/query", CLIENT, "{\"sql\":\"SELECT *\\nFROM nowhere\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("no such table: nowhere").startsWith("{\"error\":");
    }

    @Test
    @Contract("Different: statuses are 400, 401, 403, 404, 409, 413, 429, 503, 504")
    void a_broken_constraint_is_409() {
        served.query("INSERT INTO t (name) VALUES ('a')");
        HttpResponse<String> answer = served.post("/query", CLIENT, "{\"sql\":\"INSERT INTO t (name) VALUES ('a')\"}");
        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(answer.body()).contains("t.name");
    }

    @Test
    void a_second_statement_in_one_text_is_refused_and_nothing_runs() {
        HttpResponse<String> answer =
                served.post("/query", CLIENT, "{\"sql\":\"INSERT INTO t (name) VALUES ('a'); DELETE FROM t\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body())
                .contains("a second one begins at character 36")
                .contains("transaction");
        assertThat(served.query("SELECT count(*) AS c FROM t").at("/result/0/c").asInt())
                .isZero();
    }

    @Test
    @Contract("Kept: a transaction answers an array of answers, and wins over sql when it is not empty")
    void a_transaction_gives_the_answers_of_its_statements() {
        HttpResponse<String> answer = served.post("/query", CLIENT, """
                {"sql": "SELECT 'not this'", "transaction": [
                  {"sql": "CREATE TABLE u (a)"},
                  {"sql": "INSERT INTO u VALUES (?), (?) RETURNING a", "params": [1, 2]},
                  {"sql": "SELECT count(*) AS c FROM u"}]}""");
        assertThat(answer.body()).isEqualTo("{\"result\":[[],[{\"a\":1},{\"a\":2}],[{\"c\":2}]]}");
    }

    @Test
    void a_transaction_that_only_reads_sees_one_state() {
        HttpResponse<String> answer = served.post(
                "/query/raw", CLIENT, "{\"transaction\":[{\"sql\":\"SELECT 1 AS a\"},{\"sql\":\"SELECT 2 AS b\"}]}");
        assertThat(answer.body())
                .isEqualTo(
                        "{\"result\":[{\"columns\":[\"a\"],\"rows\":[[1]],\"meta\":{\"rows_read\":1,\"rows_written\":0}},"
                                + "{\"columns\":[\"b\"],\"rows\":[[2]],\"meta\":{\"rows_read\":1,\"rows_written\":0}}]}");
    }

    @Test
    @Contract("Different: a transaction is atomic")
    void a_transaction_that_fails_leaves_nothing_and_names_the_statement() {
        HttpResponse<String> answer = served.post("/query", CLIENT, """
                {"transaction": [
                  {"sql": "INSERT INTO t (name) VALUES ('a')"},
                  {"sql": "CREATE TABLE u (a)"},
                  {"sql": "INSERT INTO t (name) VALUES ('a')"}]}""");
        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(answer.body()).contains("Statement 3 of 3");
        assertThat(served.query("SELECT name FROM t UNION SELECT name FROM sqlite_schema WHERE name = 'u'"))
                .hasToString("{\"result\":[]}");
    }

    @Test
    void a_statement_that_rolls_back_by_itself_undoes_nothing_of_others() {
        served.query("INSERT INTO t (name) VALUES ('kept')");
        HttpResponse<String> answer = served.post(
                "/query", CLIENT, "{\"sql\":\"INSERT OR ROLLBACK INTO t (name) VALUES ('new'), ('kept')\"}");
        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(served.query("SELECT name FROM t")).hasToString("{\"result\":[{\"name\":\"kept\"}]}");
        served.query("INSERT INTO t (name) VALUES ('after')");
        assertThat(served.query("SELECT count(*) AS c FROM t").at("/result/0/c").asInt())
                .isEqualTo(2);
    }

    @Test
    void rows_that_triggers_write_count_as_written() {
        served.query("CREATE TABLE log (name)");
        served.query("CREATE TRIGGER logged AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.name); END");
        assertThat(served.raw("INSERT INTO t (name) VALUES ('a'), ('b')")
                        .at("/result/meta/rows_written")
                        .asInt())
                .isEqualTo(4);
    }

    @Test
    void columns_added_later_are_seen_by_a_statement_that_was_kept_prepared() {
        String all = "SELECT * FROM t";
        assertThat(served.raw(all).at("/result/columns").size()).isEqualTo(3);
        served.query("ALTER TABLE t ADD COLUMN extra DEFAULT 5");
        served.query("INSERT INTO t (name) VALUES ('a')");
        assertThat(served.query(all)).hasToString("{\"result\":[{\"id\":1,\"name\":\"a\",\"n\":null,\"extra\":5}]}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM \"main\".sqlite_schema",
                "SELECT rowid, * FROM \"main\".\"t\" LIMIT 10 OFFSET 0",
                "SELECT * FROM \"main\".pragma_table_info('t')",
                "PRAGMA table_info('t')",
                "PRAGMA table_xinfo(\"t\")",
                "PRAGMA index_list(t)",
                "EXPLAIN QUERY PLAN SELECT * FROM t",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
                "VALUES (1), (2)",
            })
    @Contract({
        "Kept: SELECT * FROM \"main\".sqlite_schema",
        "Kept: SELECT rowid, * FROM \"main\".\"t\" LIMIT n OFFSET m",
        "Kept: SELECT * FROM \"main\".pragma_table_info('t')"
    })
    void studio_s_own_statements_work_for_clients(String sql) {
        assertThat(served.query("INSERT INTO t VALUES (1, 'a', 1)")).hasToString("{\"result\":[]}");
        HttpResponse<String> answer = served.post("/query", CLIENT, ServedStore.statement(sql));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(json(answer).at("/result").size()).isPositive();
    }

    @Test
    @Contract("Kept: several DDL statements in one transaction")
    void several_definitions_are_one_transaction() {
        String made = """
                {"transaction":[{"sql":"CREATE TABLE made (a)"},{"sql":"CREATE INDEX made_a ON made (a)"},
                 {"sql":"ALTER TABLE made ADD COLUMN b"},{"sql":"DROP TABLE made"}]}""";
        assertThat(served.post("/query", CLIENT, made).body()).isEqualTo("{\"result\":[[],[],[],[]]}");
        String broken =
                "{\"transaction\":[{\"sql\":\"CREATE TABLE made (a)\"},{\"sql\":\"CREATE INDEX i ON nothing (a)\"}]}";
        assertThat(served.post("/query", CLIENT, broken).statusCode()).isEqualTo(400);
        assertThat(served.query("SELECT name FROM sqlite_schema WHERE name = 'made'"))
                .hasToString("{\"result\":[]}");
    }

    @Test
    void pragmas_know_what_has_just_been_made() {
        for (int i = 0; i < 20; i++) {
            served.query("DROP TABLE t");
            served.query("CREATE TABLE t (a UNIQUE%s)".formatted(", b UNIQUE".repeat(i % 2)));
            assertThat(served.query("PRAGMA index_list(t)").at("/result").size())
                    .isEqualTo(1 + i % 2);
            assertThat(served.query("SELECT * FROM pragma_index_list('t')")
                            .at("/result")
                            .size())
                    .isEqualTo(1 + i % 2);
        }
    }

    @Test
    @Contract("Kept: INSERT … RETURNING")
    void an_insert_with_returning_gives_its_rows() {
        JsonNode answer = served.query("INSERT INTO t (name) VALUES ('a') RETURNING id, name");
        assertThat(answer).hasToString("{\"result\":[{\"id\":1,\"name\":\"a\"}]}");
    }

    @Test
    void text_of_every_kind_comes_back_as_it_went() {
        String text = "quote \" back \\ tab \t zero \u0000 é 漢 😀";
        JsonNode body = tools.jackson.databind.json.JsonMapper.shared()
                .createObjectNode()
                .put("sql", "SELECT ? AS a")
                .set(
                        "params",
                        tools.jackson.databind.json.JsonMapper.shared()
                                .createArrayNode()
                                .add(text));
        assertThat(json(served.post("/query", ADMIN, body.toString()))
                        .at("/result/0/a")
                        .asString())
                .isEqualTo(text);
    }

    @Test
    void a_value_larger_than_one_buffer_comes_back_whole() {
        JsonNode answer = served.query("SELECT hex(zeroblob(300000)) AS a, zeroblob(70000) AS b");
        assertThat(answer.at("/result/0/a").asString()).hasSize(600_000).containsOnlyOnce("0".repeat(600_000));
        assertThat(answer.at("/result/0/b").asString()).startsWith("AAAA");
    }
}
