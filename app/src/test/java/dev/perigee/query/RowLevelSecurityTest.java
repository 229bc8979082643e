package dev.perigee.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.perigee.bundled.rest.RestPlugin;
import dev.perigee.config.QueryConfig;
import dev.perigee.testing.Contract;
import dev.perigee.testing.JwksServer;
import dev.perigee.testing.ServedStore;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Row-level security over HTTP, as its client and as who wants past it.
class RowLevelSecurityTest {
    private static JwksServer provider;
    private static ServedStore served;
    private static String ann;
    private static String bob;

    @BeforeAll
    static void open(@TempDir Path directory) throws Exception {
        RSAKey key = JwksServer.key("one");
        provider = new JwksServer();
        provider.publish(key);
        ann = token(key, "ann");
        bob = token(key, "bob");
        served = new ServedStore(
                directory,
                ServedStore.Setup.standard()
                        .serve(c -> ServedStore.with(c, c.access().clientToken(), Optional.of(provider.url())))
                        .query(QueryConfig.defaults().withRowLevelSecurity(true))
                        .plugins(new RestPlugin()));
    }

    @AfterAll
    static void close() {
        served.close();
        provider.close();
    }

    private static String token(RSAKey key, String subject) {
        return JwksServer.token(
                key,
                JWSAlgorithm.RS256,
                new JWTClaimsSet.Builder()
                        .subject(subject)
                        .claim("team", "blue")
                        .expirationTime(Date.from(Instant.now().plusSeconds(3600)))
                        .build());
    }

    @BeforeEach
    void fill() {
        for (String sql : List.of(
                "DROP VIEW IF EXISTS all_notes",
                "DROP TABLE IF EXISTS notes",
                "DROP TABLE IF EXISTS secrets",
                "DROP TABLE IF EXISTS audit",
                "DROP TABLE IF EXISTS plain",
                "DELETE FROM tmp_rls_policies",
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT, code TEXT UNIQUE, body TEXT DEFAULT 'empty', n INTEGER)",
                "INSERT INTO notes VALUES (1,'ann','a1','x',10), (2,'bob','b1','HIDDEN',20), (3,'ann','a2','y',30),"
                        + " (4,'bob','b2','HIDDEN',40)",
                "CREATE TABLE secrets (s TEXT)",
                "INSERT INTO secrets VALUES ('HIDDEN')",
                "CREATE TABLE plain (id INTEGER PRIMARY KEY, t TEXT)",
                "INSERT INTO plain VALUES (1,'p'), (2,'q')",
                "CREATE TABLE audit (what TEXT)",
                "CREATE VIEW all_notes AS SELECT * FROM notes",
                "CREATE TRIGGER noted AFTER INSERT ON notes BEGIN INSERT INTO audit VALUES (NEW.code); END",
                policy("SELECT", "notes", "owner", "context.id()"),
                policy("INSERT", "notes", "owner", "context.id()"),
                policy("UPDATE", "notes", "owner", "context_id()"),
                policy("DELETE", "notes", "owner", "context.id()"),
                "INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, value_type, operator)"
                        + " VALUES ('SELECT', 'plain', 'id', '0', 'number', '>')")) {
            HttpResponse<String> answer = served.run(ServedStore.ADMIN, sql);
            assertThat(answer.statusCode()).as(sql + answer.body()).isEqualTo(200);
        }
    }

    private static String policy(String action, String table, String column, String value) {
        return "INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value) VALUES ('%s', '%s', '%s', '%s')"
                .formatted(action, table, column, value);
    }

    /// Statements that must work, and what they answer to Ann.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT id FROM notes ORDER BY id | 1,3",
                "select ID from NOTES order by 1 | 1,3",
                "SELECT id FROM \"notes\" ORDER BY id | 1,3",
                "SELECT id FROM [notes] ORDER BY id | 1,3",
                "SELECT n.id FROM notes AS n WHERE EXISTS (SELECT 1 FROM notes m WHERE m.id = n.id) ORDER BY 1 | 1,3",
                "WITH c AS (SELECT * FROM notes) SELECT id FROM c ORDER BY id | 1,3",
                "WITH c(a) AS (SELECT id FROM notes) SELECT a FROM c ORDER BY a | 1,3",
                "WITH c(a) AS (SELECT id FROM notes) SELECT count(*) FROM c | 2",
                "WITH c(a) AS (SELECT 7) SELECT count(*) FROM c | 1",
                "WITH c AS (SELECT 7 AS a) SELECT count(*) FROM c | 1",
                "WITH plain(a) AS (SELECT 7) SELECT a FROM plain | 7",
                "WITH secrets(s) AS (SELECT 7) SELECT s FROM secrets | 7",
                "WITH c(a) AS MATERIALIZED (SELECT id FROM notes) SELECT count(*) FROM c | 2",
                "WITH c(a) AS (VALUES (7), (8)) SELECT 1 FROM c | 1,1",
                "WITH notes(a) AS (SELECT id FROM plain) SELECT a FROM notes ORDER BY a | 1,2",
                "SELECT count(*) FROM (SELECT 7) AS c | 1",
                "SELECT id FROM notes UNION SELECT id FROM notes ORDER BY 1 | 1,3",
                "SELECT (SELECT max(id) FROM notes) | 3",
                "SELECT count(*) FROM notes | 2",
                "SELECT 1 FROM notes | 1,1",
                "SELECT p.id FROM plain p LEFT JOIN notes n ON n.id = p.id WHERE n.id IS NULL | 2",
                "SELECT id FROM plain ORDER BY (SELECT count(*) FROM notes WHERE notes.id > plain.id), id DESC | 2,1",
                "SELECT id FROM all_notes ORDER BY id | 1,3",
                "SELECT sum(n) OVER (ORDER BY id) FROM notes | 10,40",
                "SELECT key FROM json_each('[5]') | 0",
                "SELECT context_id() | ann",
                "SELECT context.id() | ann",
                "SELECT context_claim('team') | blue",
                "SELECT 'context.id()' | context.id()",
                "INSERT INTO notes (owner, code) VALUES ('ann', 'a3') RETURNING body | empty",
                "INSERT INTO notes (owner, code) VALUES ('ann', 'a3'), ('ann', 'a4') RETURNING id | 5,6",
                "INSERT INTO notes (id, owner, code) VALUES (1, 'ann', 'z') ON CONFLICT (id) DO UPDATE SET body = excluded.code RETURNING body | z",
                "UPDATE notes SET body = 'new' RETURNING id | 1,3",
                "UPDATE notes SET id = 9 WHERE id = 1 RETURNING id | 9",
                "DELETE FROM notes WHERE n > 0 RETURNING id | 1,3",
                "SELECT name FROM pragma_table_info('plain') | id,t",
            })
    @Contract({
        "Different: row-level security leaves aliases, EXISTS, RETURNING and REST working",
        "Different: row-level security holds against case, CTE, UNION, subquery, view, REPLACE, INSERT…SELECT",
        "Different: JWT claims reach policies, and SQL as context_id(), context_claim('…') and context.id()"
    })
    void a_client_works_on_its_own_rows(String sql, String expected) {
        HttpResponse<String> answer = served.run(ann, sql);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(cells(answer)).isEqualTo(expected);
        hiddenIsUntouched();
    }

    /// Whatever these answer, it is not a hidden row, and none is changed.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM main.notes",
                "SELECT count(*) FROM main.notes",
                "SELECT * FROM \"main\".\"notes\"",
                "WITH notes AS (SELECT * FROM main.notes) SELECT * FROM notes",
                "SELECT * FROM secrets",
                "SELECT 1 WHERE 'HIDDEN' IN secrets",
                "SELECT * FROM plain, main.notes",
                "SELECT * FROM plain WHERE id IN (SELECT id FROM main.notes)",
                "SELECT (SELECT body FROM main.notes LIMIT 1)",
                "SELECT * FROM plain ORDER BY (SELECT body FROM main.notes)",
                "WITH sqlite_returning_1 AS (SELECT * FROM main.notes) SELECT * FROM sqlite_returning_1",
                "WITH noted AS (SELECT * FROM main.notes) SELECT * FROM noted",
                "WITH noted AS (SELECT * FROM secrets) INSERT INTO notes (owner, body) SELECT 'ann', s FROM noted",
                "SELECT * FROM sqlite_temp_schema",
                "SELECT * FROM temp.sqlite_master",
                "SELECT name FROM pragma_table_list",
                "PRAGMA table_list",
                "PRAGMA foreign_key_check",
                "PRAGMA recursive_triggers = ON",
                "SELECT * FROM sqlite_sequence",
                "SELECT * FROM sqlite_stat1",
                "SELECT * FROM tmp_rls_policies",
                "DELETE FROM tmp_rls_policies",
                "EXPLAIN SELECT * FROM notes",
                "EXPLAIN QUERY PLAN SELECT * FROM notes",
                "ATTACH 'x.db' AS x",
                "VACUUM INTO '/tmp/x.db'",
                "CREATE TABLE copied AS SELECT * FROM notes",
                "CREATE VIEW v AS SELECT * FROM notes",
                "CREATE TRIGGER t AFTER UPDATE ON notes BEGIN SELECT 1; END",
                "CREATE TEMP VIEW notes AS SELECT * FROM main.notes",
                "DROP TABLE notes",
                "ALTER TABLE notes RENAME TO mine",
                "INSERT INTO notes (owner, body) SELECT 'ann', body FROM main.notes",
                "INSERT INTO notes (owner, body) VALUES ('ann', (SELECT body FROM main.notes WHERE id = 2))",
                "INSERT INTO notes (owner, body) VALUES ('bob', 'mine')",
                "INSERT INTO notes (id, owner, body) VALUES (2, 'ann', 'mine')",
                "INSERT OR REPLACE INTO notes (id, owner, body) VALUES (2, 'ann', 'mine')",
                "REPLACE INTO notes (id, owner, code) VALUES (7, 'ann', 'b1')",
                "INSERT OR IGNORE INTO notes (owner, body) VALUES ('bob', 'mine')",
                "INSERT INTO notes (id, owner) VALUES (2, 'ann') ON CONFLICT (id) DO UPDATE SET owner = 'ann'",
                "INSERT INTO notes (id, owner) VALUES (2, 'ann') ON CONFLICT (id) DO UPDATE SET n = 1 WHERE body = 'HIDDEN'",
                "INSERT INTO notes (id, owner) VALUES (2, 'ann') ON CONFLICT (id) DO UPDATE SET n = 1 WHERE body = 'other'",
                "UPDATE notes SET owner = 'bob' WHERE id = 1",
                "UPDATE notes SET body = 'mine' WHERE id = 2",
                "UPDATE main.notes SET body = 'mine'",
                "UPDATE notes SET body = m.body FROM main.notes m WHERE m.id = 2",
                "UPDATE OR REPLACE notes SET id = 2 WHERE id = 1",
                "DELETE FROM notes WHERE id = 2",
                "DELETE FROM main.notes",
                "UPDATE plain SET t = 'x'",
                "DELETE FROM plain",
                "INSERT INTO plain VALUES (9, 'x')",
                "SELECT load_extension('x')",
            })
    @Contract({
        "Different: row-level security holds against case, CTE, UNION, subquery, view, REPLACE, INSERT…SELECT",
        "Different: row-level security denies by default"
    })
    void nothing_reaches_a_hidden_row(String sql) {
        HttpResponse<String> answer = served.run(ann, sql);
        assertThat(answer.body()).doesNotContain("HIDDEN", "bob", "policed_");
        assertThat(answer.statusCode()).isNotEqualTo(500);
        hiddenIsUntouched();
        assertThat(served.query("SELECT count(*) AS n FROM plain")
                        .at("/result/0/n")
                        .asInt())
                .isEqualTo(2);
        assertThat(served.query("SELECT count(*) AS n FROM notes WHERE owner = 'ann' AND body IN ('HIDDEN', 'mine')")
                        .at("/result/0/n")
                        .asInt())
                .isZero();
    }

    /// An upsert onto a hidden row answers the same, whatever its condition would find there.
    @Test
    void a_conflict_with_a_hidden_row_tells_nothing_of_it() {
        String sql =
                "INSERT INTO notes (id, owner) VALUES (2, 'ann') ON CONFLICT (id) DO UPDATE SET n = 1 WHERE body = '%s'";
        HttpResponse<String> right = served.run(ann, sql.formatted("HIDDEN"));
        HttpResponse<String> wrong = served.run(ann, sql.formatted("other"));
        assertThat(right.body()).isEqualTo(wrong.body());
        assertThat(right.statusCode()).isEqualTo(wrong.statusCode()).isEqualTo(409);
    }

    /// An expression that fails on a hidden row would tell what the row holds.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT id FROM notes WHERE CASE WHEN body = 'HIDDEN' THEN abs(-9223372036854775808) ELSE 1 END",
                "SELECT id FROM notes WHERE CASE WHEN owner = 'bob' THEN json('{') ELSE 1 END",
                "SELECT id FROM notes n WHERE (SELECT CASE WHEN m.body = 'HIDDEN' THEN abs(-9223372036854775808) ELSE 1 END FROM notes m WHERE m.id >= n.id)",
                "SELECT n.id FROM plain p JOIN notes n ON CASE WHEN n.body = 'HIDDEN' THEN abs(-9223372036854775808) ELSE 1 END WHERE p.id = 1",
                "SELECT id FROM notes GROUP BY id HAVING CASE WHEN max(body) = 'HIDDEN' THEN abs(-9223372036854775808) ELSE 1 END",
                "SELECT id FROM (SELECT * FROM notes) WHERE CASE WHEN n = 20 THEN abs(-9223372036854775808) ELSE 1 END",
                "SELECT id FROM all_notes WHERE CASE WHEN n = 20 THEN abs(-9223372036854775808) ELSE 1 END",
                "UPDATE notes SET n = 1 WHERE CASE WHEN body = 'HIDDEN' THEN abs(-9223372036854775808) ELSE 1 END RETURNING id",
                "DELETE FROM notes WHERE CASE WHEN body = 'HIDDEN' THEN abs(-9223372036854775808) ELSE 1 END RETURNING id"
            })
    void an_expression_is_never_evaluated_on_a_hidden_row(String sql) {
        HttpResponse<String> answer = served.run(ann, sql);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(cells(answer)).isEqualTo("1,3");
    }

    @Test
    @Contract("Different: row-level security denies by default")
    void who_has_no_claims_sees_nothing_and_a_table_without_a_policy_is_named() {
        assertThat(served.run(ServedStore.CLIENT, "SELECT * FROM notes").body()).isEqualTo("{\"result\":[]}");
        HttpResponse<String> refused = served.run(ServedStore.CLIENT, "SELECT * FROM secrets");
        assertThat(refused.statusCode()).isEqualTo(403);
        assertThat(refused.body()).contains("No policy lets clients read the table \\\"secrets\\\"");
        assertThat(cells(served.run(bob, "SELECT id FROM notes ORDER BY id"))).isEqualTo("2,4");
    }

    @Test
    @Contract("Different: row-level security leaves aliases, EXISTS, RETURNING and REST working")
    void rest_is_policed_and_works() {
        assertThat(served.get("/rest/notes?select=id&sort_by=id", ann).body())
                .isEqualTo("{\"result\":[{\"id\":1},{\"id\":3}]}");
        assertThat(served.get("/rest/notes/2", ann).statusCode()).isEqualTo(404);
        assertThat(rest("POST", "/rest/notes", "{\"owner\":\"ann\",\"code\":\"r\"}"))
                .isEqualTo(201);
        assertThat(rest("POST", "/rest/notes", "{\"owner\":\"bob\",\"code\":\"s\"}"))
                .isEqualTo(403);
        assertThat(rest("PATCH", "/rest/notes/1", "{\"body\":\"z\"}")).isEqualTo(200);
        assertThat(rest("PATCH", "/rest/notes/2", "{\"body\":\"z\"}")).isEqualTo(404);
        assertThat(rest("DELETE", "/rest/notes/2", "")).isEqualTo(404);
        assertThat(rest("DELETE", "/rest/notes/3", "")).isEqualTo(200);
        hiddenIsUntouched();
    }

    @Test
    @Contract("Kept: tmp_rls_policies has its columns")
    void the_table_of_policies_has_the_columns_that_clients_know() {
        JsonNode columns =
                served.query("SELECT group_concat(name, ' ') AS c FROM pragma_table_info('tmp_rls_policies')");
        assertThat(columns.at("/result/0/c").asString())
                .isEqualTo("id actions schema table column value value_type operator created_at");
    }

    @Test
    void a_transaction_is_policed_and_atomic() {
        HttpResponse<String> answer = served.post("/query", ann, """
                {"transaction":[{"sql":"INSERT INTO notes (owner, code) VALUES ('ann', 'tx')"},
                 {"sql":"SELECT count(*) AS n FROM notes"}, {"sql":"INSERT INTO notes (owner) VALUES ('bob')"}]}""");
        assertThat(answer.statusCode()).isEqualTo(403);
        assertThat(cells(served.run(ann, "SELECT count(*) FROM notes"))).isEqualTo("2");
        HttpResponse<String> fine = served.post("/query", ann, """
                {"transaction":[{"sql":"INSERT INTO notes (owner, code) VALUES ('ann', 'tx')"},
                 {"sql":"SELECT count(*) AS n FROM notes"}]}""");
        assertThat(fine.body()).isEqualTo("{\"result\":[[],[{\"n\":3}]]}");
        hiddenIsUntouched();
    }

    @Test
    void counts_of_rows_written_are_those_of_the_table() {
        String update = ServedStore.statement("UPDATE notes SET n = n + 1");
        assertThat(ServedStore.json(served.post("/query/raw", ann, update))
                        .at("/result/meta/rows_written")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    void a_policy_that_changes_counts_for_the_next_statement_and_a_bad_one_denies() {
        assertThat(cells(served.run(ann, "SELECT count(*) FROM notes"))).isEqualTo("2");
        served.query("INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, value_type, operator)"
                + " VALUES ('SELECT', 'notes', 'n', '20', 'number', '>')");
        assertThat(cells(served.run(ann, "SELECT count(*) FROM notes"))).isEqualTo("1");
        served.query(policy("SELECT", "notes", "nope", "x"));
        assertThat(cells(served.run(ann, "SELECT count(*) FROM notes"))).isEqualTo("0");
        HttpResponse<String> refused = served.run(
                ServedStore.ADMIN,
                "INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, operator) VALUES ('SELECT','notes','n','1','~')");
        assertThat(refused.statusCode()).isEqualTo(409);
    }

    /// What Ann sees of random queries is what an admin sees of tables that hold her rows only.
    @Test
    void random_queries_see_what_the_filtered_tables_hold() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (String table : List.of("ra", "rb")) {
            served.query("DROP TABLE IF EXISTS " + table);
            served.query("DROP TABLE IF EXISTS t" + table);
            served.query("CREATE TABLE %s (id INTEGER PRIMARY KEY, owner TEXT, v INTEGER)".formatted(table));
            StringBuilder rows = new StringBuilder();
            for (int i = 0; i < 30; i++) {
                rows.append(i == 0 ? "" : ",")
                        .append("(%d,'%s',%s)"
                                .formatted(
                                        i,
                                        List.of("ann", "bob", "cy").get(random.nextInt(3)),
                                        random.nextInt(6) == 0 ? "NULL" : random.nextInt(5)));
            }
            served.query("INSERT INTO %s VALUES %s".formatted(table, rows));
            served.query("CREATE TABLE t%s AS SELECT * FROM %s WHERE owner = 'ann'".formatted(table, table));
            served.query(policy("SELECT", table, "owner", "context.id()"));
        }
        for (int round = 0; round < 300; round++) {
            String query = RandomQueries.next(random);
            HttpResponse<String> seen = served.run(ann, query.replace("@", ""));
            HttpResponse<String> truth = served.run(ServedStore.ADMIN, query.replace("@", "t"));
            assertThat(seen.body()).as("seed %d: %s", seed, query).isEqualTo(truth.body());
        }
    }

    /// Queries over the tables `@ra` and `@rb`, each with one order of its rows.
    private static final class RandomQueries {
        static String next(Random random) {
            String from = from(random, 2);
            return switch (random.nextInt(5)) {
                case 0 -> "SELECT count(*) AS c, sum(q.v) AS s, max(q.id) AS m FROM (%s) q".formatted(from);
                case 1 -> "SELECT q.v AS v, count(*) AS c FROM (%s) q GROUP BY q.v ORDER BY 1".formatted(from);
                case 2 ->
                    "WITH w AS (%s) SELECT a.id AS i, b.id AS j FROM w a JOIN w b ON a.v = b.v ORDER BY 1, 2"
                            .formatted(from);
                case 3 ->
                    "SELECT q.id AS i, sum(q.v) OVER (ORDER BY q.id, q.v) AS s FROM (%s) q ORDER BY 1, 2"
                            .formatted(from);
                default -> "SELECT q.id AS i, q.v AS v FROM (%s) q ORDER BY 1, 2".formatted(from);
            };
        }

        private static String from(Random random, int depth) {
            String table = random.nextBoolean() ? "@ra" : "@rb";
            String simple = "SELECT id, v FROM %s WHERE %s".formatted(table, condition(random));
            if (depth == 0) return simple;
            return switch (random.nextInt(5)) {
                case 0 -> "%s UNION SELECT id, v FROM %s".formatted(simple, random.nextBoolean() ? "@ra" : "@rb");
                case 1 ->
                    "SELECT x.id AS id, y.v AS v FROM (%s) x LEFT JOIN %s y ON x.id = y.id"
                            .formatted(from(random, depth - 1), table);
                case 2 -> "SELECT id, v FROM (%s) WHERE %s".formatted(from(random, depth - 1), condition(random));
                case 3 ->
                    "SELECT id, v FROM %s o WHERE EXISTS (SELECT 1 FROM @rb i WHERE i.v = o.v AND i.id <> o.id)"
                            .formatted(table);
                default -> simple;
            };
        }

        private static String condition(Random random) {
            return switch (random.nextInt(5)) {
                case 0 -> "v > " + random.nextInt(4);
                case 1 -> "id IN (SELECT id FROM @ra WHERE v < %d)".formatted(random.nextInt(5));
                case 2 -> "v IS NULL OR id % 2 = " + random.nextInt(2);
                case 3 -> "coalesce(v, 0) BETWEEN %d AND 4".formatted(random.nextInt(3));
                default -> "1";
            };
        }
    }

    private static int rest(String method, String path, String body) {
        return served.send(served.request(path, ann)
                        .header("Content-Type", "application/json")
                        .method(method, BodyPublishers.ofString(body))
                        .build())
                .statusCode();
    }

    private static String cells(HttpResponse<String> answer) {
        List<String> cells = new ArrayList<>();
        for (JsonNode row : ServedStore.json(answer).get("result"))
            cells.add(row.iterator().next().asString());
        return String.join(",", cells);
    }

    private static void hiddenIsUntouched() {
        assertThat(served.query("SELECT group_concat(id || code || body || n, ';') AS t FROM"
                                + " (SELECT * FROM notes WHERE owner = 'bob' ORDER BY id)")
                        .at("/result/0/t")
                        .asString())
                .isEqualTo("2b1HIDDEN20;4b2HIDDEN40");
    }
}
