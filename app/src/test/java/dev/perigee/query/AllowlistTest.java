package dev.perigee.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.QueryConfig;
import dev.perigee.testing.Contract;
import dev.perigee.testing.ServedStore;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The allowlist and the query log, over HTTP.
class AllowlistTest {
    private static ServedStore served;

    @BeforeAll
    static void open(@TempDir Path directory) {
        served = new ServedStore(
                directory,
                ServedStore.Setup.standard().query(QueryConfig.defaults().with(false, true, true)));
        for (String sql : List.of(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
                "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
                "INSERT INTO tmp_allowlist_queries (sql_statement, source)"
                        + " VALUES ('SELECT * FROM t WHERE id = 5 AND name <> ''x''', 'internal')",
                "INSERT INTO tmp_allowlist_queries (sql_statement, source) VALUES ('SELECT 1', 'external')")) {
            assertThat(served.run(ServedStore.ADMIN, sql).statusCode()).as(sql).isEqualTo(200);
        }
    }

    @AfterAll
    static void close() {
        served.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM t WHERE id = 1 AND name <> 'y'",
                "select  *  from t where id=1 and name<>'y';",
                "SELECT * FROM t /* why */ WHERE id = 1 -- and\n AND name <> 'a;b'",
            })
    @Contract({
        "Different: the allowlist compares normalized statements",
        "Kept: ENABLE_ALLOWLIST switches the allowlist on"
    })
    void what_differs_in_literals_blanks_and_case_is_the_same_statement(String sql) {
        HttpResponse<String> answer = served.run(ServedStore.CLIENT, sql);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(served.post(
                                "/query",
                                ServedStore.CLIENT,
                                "{\"sql\":\"SELECT * FROM t WHERE id = ? AND name <> ?\",\"params\":[1,\"z\"]}")
                        .statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM t WHERE id = 1 OR name <> 'y'",
                "SELECT * FROM t",
                "SELECT * FROM t WHERE id = name AND name <> 'y'",
                "DELETE FROM t",
                "SELECT 1"
            })
    void another_statement_is_403_also_in_a_transaction_and_recorded(String sql) {
        HttpResponse<String> answer = served.run(ServedStore.CLIENT, sql);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
        assertThat(served.post(
                                "/query",
                                ServedStore.CLIENT,
                                "{\"transaction\":[{\"sql\":\"SELECT * FROM t WHERE id = 1 AND name <> ''\"},{\"sql\":\"%s\"}]}"
                                        .formatted(sql))
                        .statusCode())
                .isEqualTo(403);
        await().untilAsserted(() -> assertThat(served.query(
                                "SELECT count(*) AS n FROM tmp_allowlist_rejections WHERE source = 'internal' AND sql_statement = '%s'"
                                        .formatted(sql.replace("'", "''")))
                        .at("/result/0/n")
                        .asInt())
                .isGreaterThanOrEqualTo(1));
        assertThat(served.run(ServedStore.ADMIN, "SELECT count(*) FROM t").body())
                .contains("2");
    }

    @Test
    @Contract("Different: an allowlist entry that does not parse is refused when it is added")
    void an_entry_that_does_not_parse_is_refused_when_it_is_added() {
        for (String sql : List.of(
                "INSERT INTO tmp_allowlist_queries (sql_statement, source) VALUES ('SELEC 1', 'internal')",
                "INSERT INTO tmp_allowlist_queries (sql_statement, source) VALUES ('SELECT 1; SELECT 2', 'internal')",
                "UPDATE tmp_allowlist_queries SET sql_statement = 'SELECT FROM' WHERE source = 'internal'")) {
            HttpResponse<String> answer = served.run(ServedStore.ADMIN, sql);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        }
        assertThat(served.query("SELECT count(*) AS n FROM tmp_allowlist_queries")
                        .at("/result/0/n")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    @Contract("Kept: tmp_allowlist_queries and tmp_allowlist_rejections have their columns")
    void the_tables_have_the_columns_that_clients_know() {
        assertThat(columns("tmp_allowlist_queries")).isEqualTo("id sql_statement source");
        assertThat(columns("tmp_allowlist_rejections")).isEqualTo("id sql_statement source created_at");
    }

    @Test
    @Contract("Kept: tmp_query_log has its columns")
    void statements_are_logged_without_their_values() {
        assertThat(columns("tmp_query_log")).isEqualTo("id sql_statement duration created_at");
        served.query("SELECT 'secret-value' AS logged, 4711 AS n");
        await().untilAsserted(() -> assertThat(
                        served.query("SELECT sql_statement FROM tmp_query_log").toString())
                .contains("select ? as logged , ? as n"));
        assertThat(served.query("SELECT sql_statement FROM tmp_query_log").toString())
                .doesNotContain("secret-value", "4711");
    }

    private static String columns(String table) {
        return served.query("SELECT group_concat(name, ' ') AS c FROM pragma_table_info('%s')".formatted(table))
                .at("/result/0/c")
                .asString();
    }
}
