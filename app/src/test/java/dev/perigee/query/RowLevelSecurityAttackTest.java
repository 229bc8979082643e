package dev.perigee.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.perigee.bundled.cdc.CdcPlugin;
import dev.perigee.bundled.rest.RestPlugin;
import dev.perigee.config.QueryConfig;
import dev.perigee.testing.JwksServer;
import dev.perigee.testing.ServedStore;
import java.math.BigInteger;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/// Ways past row-level security that were once open, each by its own door: the tokenizer, other notions of what is
/// equal, names that mean two things, functions that tell of others.
class RowLevelSecurityAttackTest {
    private static JwksServer provider;
    private static ServedStore served;
    private static String ann;

    @BeforeAll
    static void open(@TempDir Path directory) throws Exception {
        RSAKey key = JwksServer.key("one");
        provider = new JwksServer();
        provider.publish(key);
        ann = JwksServer.token(
                key,
                JWSAlgorithm.RS256,
                new JWTClaimsSet.Builder()
                        .subject("ann")
                        .claim("large", new BigInteger("99999999999999999999"))
                        .claim("most", Long.MAX_VALUE)
                        .expirationTime(Date.from(Instant.now().plusSeconds(3600)))
                        .build());
        QueryConfig base = QueryConfig.defaults();
        QueryConfig queries = new QueryConfig(
                        base.limits().readLimit(),
                        Duration.ofSeconds(3), // One write is to reach it.
                        base.limits().maxStatementBytes(),
                        base.limits().maxRows(),
                        base.limits().maxTransactionStatements(),
                        base.limits().maxWriteBytes())
                .withRowLevelSecurity(true);
        served = new ServedStore(
                directory,
                ServedStore.Setup.standard()
                        .serve(c -> ServedStore.with(c, c.access().clientToken(), Optional.of(provider.url())))
                        .query(queries)
                        .plugins(new RestPlugin(), new CdcPlugin()));
    }

    @AfterAll
    static void close() {
        served.close();
        provider.close();
    }

    @BeforeEach
    void fill() {
        admin("DELETE FROM tmp_rls_policies");
        for (String view : List.of("audited", "outer_view", "all_notes")) admin("DROP VIEW IF EXISTS " + view);
        for (String table : List.of("notes", "codes", "plain", "secrets", "log", "\"Ä\"", "\"ä\"")) {
            admin("DROP TABLE IF EXISTS " + table);
        }
        admin("CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT, code TEXT, body TEXT)");
        admin("INSERT INTO notes VALUES (1,'ann','a1','x'), (2,'bob','b1','HIDDEN')");
        admin("CREATE TABLE codes (code TEXT)");
        admin("INSERT INTO codes VALUES ('ann'), ('HIDDEN')");
        admin("CREATE TABLE secrets (s TEXT)");
        admin("INSERT INTO secrets VALUES ('HIDDEN')");
        police("notes", "owner", "SELECT", "INSERT", "UPDATE", "DELETE");
        police("codes", "code", "SELECT");
        policy("INSERT", "codes", "code", "x", "!=");
    }

    /// SQLite takes `$a(')` for a variable, so what follows is no string.
    @Test
    void a_variable_that_holds_a_quote_hides_no_select() {
        String sql = "INSERT INTO notes (owner, body) VALUES ('ann', CASE WHEN $a(') THEN"
                + " (SELECT body FROM notes WHERE id = 2) ELSE $b(') END) RETURNING body";
        HttpResponse<String> answer = with(sql, List.of(1, 2));
        assertThat(answer.body()).doesNotContain("HIDDEN");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
        String asked = "INSERT INTO notes (owner, body) VALUES ('ann', CASE WHEN $a(') IN (SELECT 1 FROM notes WHERE"
                + " body = 'HIDDEN') THEN 'yes' ELSE $b(') END) RETURNING body";
        assertThat(with(asked, List.of(1, 2)).body()).doesNotContain("yes");
    }

    /// For a NULL that may not be, REPLACE takes the column's default.
    @Test
    void a_default_that_replace_puts_in_takes_no_hidden_rows_place() {
        admin("DROP TABLE notes");
        admin(
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT, code TEXT NOT NULL DEFAULT 'b1' UNIQUE, body TEXT)");
        admin("INSERT INTO notes VALUES (1,'ann','a1','x'), (2,'bob','b1','HIDDEN')");
        policy("DELETE", "notes", "id", "0", ">");
        assertHiddenRowStays(
                "REPLACE INTO notes (id, owner, code) VALUES (9, 'ann', NULL)",
                "INSERT OR REPLACE INTO notes (owner, code, body) SELECT 'ann', NULL, 'x'",
                "UPDATE OR REPLACE notes SET code = NULL WHERE id = 1");
    }

    @Test
    void a_hidden_row_of_the_number_that_stands_for_none_is_not_replaced() {
        admin("INSERT INTO notes VALUES (-1,'bob','c1','HIDDEN')");
        policy("DELETE", "notes", "id", "-5", ">");
        admin("DELETE FROM notes WHERE id = 2");
        assertHiddenRowStays(
                "REPLACE INTO notes VALUES (-1, 'ann', 'z', 'z')",
                "UPDATE OR REPLACE notes SET id = -1 WHERE id = 1",
                "INSERT INTO notes VALUES (-1, 'ann', 'z', 'z') ON CONFLICT (id) DO UPDATE SET body = 'gone'");
    }

    private static void assertHiddenRowStays(String... statements) {
        for (String sql : statements) {
            HttpResponse<String> answer = run(sql);
            assertThat(served.query("SELECT 1 FROM notes WHERE owner = 'bob' AND body = 'HIDDEN'")
                            .get("result"))
                    .as("%s: %s", sql, answer.body())
                    .hasSize(1);
        }
    }

    /// SQLite ends a numbered parameter after its digits.
    @Test
    void a_numbered_parameter_hides_no_in() {
        HttpResponse<String> answer = with("INSERT INTO codes VALUES (?1IN codes) RETURNING code", List.of("HIDDEN"));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ";EXPLAIN SELECT * FROM notes",
                "\uFEFFEXPLAIN QUERY PLAN SELECT * FROM notes",
                "; ;/* x */ EXPLAIN SELECT * FROM notes",
                "\u2003EXPLAIN SELECT * FROM notes"
            })
    void a_plan_is_shown_to_no_client(String sql) {
        HttpResponse<String> answer = run(sql);
        assertThat(answer.statusCode()).as(answer.body()).isIn(400, 403);
        assertThat(answer.body()).doesNotContain("policed_", "opcode");
    }

    /// A unique index may hold rows as the same that the column holds as different.
    @Test
    void a_conflict_by_the_indexs_own_collation_is_with_a_hidden_row_all_the_same() {
        admin("CREATE UNIQUE INDEX notes_code ON notes (code COLLATE NOCASE)");
        policy("DELETE", "notes", "id", "0", ">");
        String asks = "INSERT INTO notes (owner, code) VALUES ('ann', 'B1') ON CONFLICT (code COLLATE NOCASE)"
                + " DO UPDATE SET body = 'y' WHERE body = '%s'";
        HttpResponse<String> right = run(asks.formatted("HIDDEN"));
        HttpResponse<String> wrong = run(asks.formatted("other"));
        assertThat(right.statusCode()).as(right.body()).isEqualTo(409);
        assertThat(wrong.body()).isEqualTo(right.body());
    }

    /// Without a key of its own a table's rows are told apart by number, which an INSERT may name.
    @Test
    void a_conflict_by_number_is_with_a_hidden_row_all_the_same() {
        String asks = "INSERT INTO codes (rowid, code) VALUES (2, 'ann') ON CONFLICT (rowid) DO UPDATE SET code = 'ann'"
                + " WHERE code = '%s'";
        policy("UPDATE", "codes", "code", "ann", "=");
        HttpResponse<String> right = run(asks.formatted("HIDDEN"));
        HttpResponse<String> wrong = run(asks.formatted("other"));
        assertThat(right.statusCode()).as(right.body()).isEqualTo(409);
        assertThat(wrong.body()).isEqualTo(right.body());
        policy("DELETE", "codes", "code", "x", "!=");
        assertThat(run("REPLACE INTO codes (rowid, code) VALUES (2, 'ann')").statusCode())
                .isEqualTo(409);
        assertThat(run("INSERT INTO codes VALUES ('ann')").statusCode()).isEqualTo(200);
        assertThat(served.query("SELECT count(*) AS n FROM codes WHERE code = 'HIDDEN'")
                        .toString())
                .contains("\"n\":1");
    }

    /// A table may say itself that a conflict replaces; an UPDATE of a client replaces no row it does not see.
    @Test
    void an_update_replaces_no_hidden_row_where_the_table_says_replace() {
        admin("DROP TABLE notes");
        admin(
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT, code TEXT UNIQUE ON CONFLICT REPLACE, body TEXT)");
        admin("INSERT INTO notes VALUES (1,'ann','a1','x'), (2,'bob','b1','HIDDEN')");
        HttpResponse<String> answer = run("UPDATE notes SET code = 'b1'");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(409);
        assertThat(served.query("SELECT count(*) AS n FROM notes").toString()).contains("\"n\":2");
    }

    /// A part of a unique index counts only for the rows that are in it.
    @Test
    void a_partial_unique_index_is_in_the_way_of_its_own_rows_only() {
        admin("CREATE UNIQUE INDEX notes_code ON notes (code) WHERE body = 'HIDDEN'");
        assertThat(run("INSERT INTO notes (owner, code) VALUES ('ann', 'b1')").statusCode())
                .isEqualTo(200);
        assertThat(run("INSERT INTO notes (owner, code, body) VALUES ('ann', 'b1', 'HIDDEN')")
                        .statusCode())
                .isEqualTo(409);
    }

    /// Whose name is a trigger's in one place is a view's in another.
    @Test
    void a_view_with_a_triggers_name_has_no_triggers_rights() {
        admin("CREATE TRIGGER audited AFTER INSERT ON notes BEGIN SELECT 1; END");
        admin("CREATE VIEW audited AS SELECT s FROM main.secrets");
        admin("CREATE VIEW outer_view AS SELECT s FROM audited");
        HttpResponse<String> answer = run("SELECT s FROM outer_view");
        assertThat(answer.body()).doesNotContain("HIDDEN");
        assertThat(answer.statusCode()).isEqualTo(403);
        admin("DROP VIEW outer_view");
        admin("CREATE VIEW outer_view AS WITH audited AS (SELECT s FROM main.secrets) SELECT s FROM audited");
        assertThat(run("SELECT s FROM outer_view").body()).doesNotContain("HIDDEN");
    }

    /// A quote in a name is written twice, so that the text does not have the name as it is.
    @Test
    void a_triggers_name_with_quotes_is_no_way_around_either() {
        admin("CREATE TRIGGER \"a\"\"b\" AFTER INSERT ON notes BEGIN SELECT 1; END");
        String sql = "WITH \"a\"\"b\" AS (SELECT * FROM main.secrets) SELECT * FROM \"a\"\"b\"";
        assertThat(run(sql).body()).doesNotContain("HIDDEN");
    }

    /// SQLite holds letters beyond ASCII apart, small and large.
    @Test
    void names_are_the_same_as_sqlite_holds_them_the_same() {
        admin("CREATE TABLE \"ä\" (owner TEXT)");
        admin("CREATE TABLE \"Ä\" (owner TEXT)");
        police("ä", "owner", "SELECT", "INSERT");
        assertThat(run("INSERT INTO \"ä\" VALUES ('ann')").statusCode()).isEqualTo(200);
        assertThat(run("INSERT INTO \"Ä\" VALUES ('ann')").statusCode()).isEqualTo(403);
        admin("CREATE TRIGGER \"ΑΣ\" AFTER INSERT ON notes BEGIN SELECT 1; END");
        HttpResponse<String> answer =
                run("WITH 'ΑΣ'AS (SELECT * FROM main.secrets) SELECT * FROM 'ΑΣ'x UNION SELECT * FROM 'ΑΣ'x");
        assertThat(answer.body()).doesNotContain("HIDDEN");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT perigee_normalized('SELECT * FROM main.secrets', 'internal')",
                "SELECT total_changes()",
                "SELECT changes()",
                "SELECT Total_Changes() FROM notes"
            })
    void functions_that_tell_of_others_are_refused(String sql) {
        assertThat(run(sql).statusCode()).isEqualTo(403);
    }

    /// The write connection is everybody's: its last row's number is somebody else's until one has inserted.
    @Test
    void the_last_inserted_number_is_the_callers_own() {
        admin("INSERT INTO notes (id, owner) VALUES (4711, 'bob')");
        HttpResponse<String> answer = served.post("/query", ann, """
                {"transaction":[{"sql":"SELECT last_insert_rowid() AS n"},
                 {"sql":"INSERT INTO notes (id, owner) VALUES (31, 'ann')"},{"sql":"SELECT last_insert_rowid() AS n"}]}""");
        assertThat(answer.body()).isEqualTo("{\"result\":[[{\"n\":0}],[],[{\"n\":31}]]}");
    }

    /// A schema that is misspelt must not leave a restriction out.
    @Test
    void a_policys_schema_counts_without_regard_to_case() {
        admin("INSERT INTO tmp_rls_policies (actions, schema, \"table\", \"column\", value, operator)"
                + " VALUES ('SELECT', 'MAIN', 'notes', 'code', 'none', '=')");
        assertThat(run("SELECT id FROM notes").body()).isEqualTo("{\"result\":[]}");
    }

    /// What does not fit an integer would be rounded, and two callers be one.
    @Test
    void a_claim_beyond_64_bits_is_nobody() {
        assertThat(run("SELECT context_claim('large') AS c, context_claim('most') AS m")
                        .body())
                .isEqualTo("{\"result\":[{\"c\":null,\"m\":9223372036854775807}]}");
    }

    @Test
    void a_computed_column_is_not_set() {
        admin("CREATE TABLE log (id INTEGER PRIMARY KEY, owner TEXT, g AS (owner || id))");
        admin("INSERT INTO log VALUES (1, 'ann')");
        police("log", "owner", "SELECT", "UPDATE");
        assertThat(run("UPDATE log SET g = 'z' RETURNING g").statusCode()).isEqualTo(400);
        assertThat(run("UPDATE log SET id = 2").statusCode()).isEqualTo(200);
    }

    /// A policy on a view narrows what the view shows, beside those on its tables.
    @Test
    void a_policy_on_a_view_counts() {
        admin("INSERT INTO notes VALUES (3, 'ann', 'a3', 'z')");
        admin("CREATE VIEW all_notes (nr, what) AS SELECT id, body FROM notes");
        policy("SELECT", "all_notes", "what", "z", "=");
        assertThat(run("SELECT nr FROM all_notes").body()).isEqualTo("{\"result\":[{\"nr\":3}]}");
        assertThat(run("SELECT count(*) AS n FROM all_notes").body()).isEqualTo("{\"result\":[{\"n\":1}]}");
        for (String sql : List.of("SELECT * FROM main.all_notes", "SELECT count(*) FROM main.all_notes")) {
            assertThat(run(sql).statusCode()).isEqualTo(403);
        }
        admin("CREATE VIEW outer_view AS SELECT DISTINCT what FROM all_notes");
        assertThat(run("SELECT count(*) AS n FROM outer_view").body()).isEqualTo("{\"result\":[{\"n\":1}]}");
        assertThat(run("SELECT count(*) AS n FROM codes LEFT JOIN outer_view").body())
                .isEqualTo("{\"result\":[{\"n\":1}]}");
        admin("DROP VIEW outer_view");
        admin("DROP VIEW all_notes");
        admin("CREATE VIEW all_notes AS SELECT s AS what FROM main.secrets");
        assertThat(run("SELECT * FROM all_notes").statusCode()).isEqualTo(403);
    }

    /// A policy's query reads other policed tables as their policies say, and never itself without end.
    @Test
    void a_policy_that_asks_its_own_table_refuses_and_tells_no_name() {
        admin("INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, value_type, operator) VALUES"
                + " ('SELECT', 'notes', 'id', 'SELECT id FROM notes', 'query', 'IN')");
        HttpResponse<String> answer = run("SELECT * FROM notes");
        assertThat(answer.body()).doesNotContain("HIDDEN", "policed_");
        assertThat(answer.statusCode()).as(answer.body()).isBetween(400, 499);
        admin("DELETE FROM tmp_rls_policies WHERE value_type = 'query'");
        admin(
                "INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, value_type, operator) VALUES"
                        + " ('SELECT', 'notes', 'code', 'WITH w AS (SELECT code FROM codes) SELECT code FROM w', 'query', 'NOT IN')");
        HttpResponse<String> other = run("SELECT id FROM notes");
        assertThat(other.statusCode()).as(other.body()).isEqualTo(200);
    }

    /// A write that ends at its limit leaves nothing in place on the connection that all share.
    @Test
    void a_write_that_is_ended_leaves_no_policy_behind() {
        HttpResponse<String> ended =
                run("UPDATE notes SET body = c.i FROM (WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL"
                        + " SELECT i + 1 FROM n LIMIT 2000000000) SELECT i FROM n) c WHERE c.i >= 0");
        assertThat(ended.statusCode()).isBetween(400, 599).isNotEqualTo(500);
        assertThat(served.query("SELECT count(*) AS n FROM main.notes").toString())
                .contains("\"n\":2");
        admin("UPDATE notes SET body = 'HIDDEN' WHERE id = 2");
        assertThat(run("UPDATE notes SET body = 'new' RETURNING id").body()).isEqualTo("{\"result\":[{\"id\":1}]}");
    }

    private static void police(String table, String column, String... actions) {
        for (String action : actions) policy(action, table, column, "context.id()", "=");
    }

    private static void policy(String action, String table, String column, String value, String operator) {
        admin(
                "INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, operator) VALUES ('%s', '%s', '%s', '%s', '%s')"
                        .formatted(action, table, column, value, operator));
    }

    private static void admin(String sql) {
        HttpResponse<String> answer = served.run(ServedStore.ADMIN, sql);
        assertThat(answer.statusCode()).as(sql + answer.body()).isEqualTo(200);
    }

    private static HttpResponse<String> run(String sql) {
        return served.run(ann, sql);
    }

    private static HttpResponse<String> with(String sql, List<?> params) {
        return served.post(
                "/query", ann, JsonMapper.shared().writeValueAsString(java.util.Map.of("sql", sql, "params", params)));
    }
}
