package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.PerigeeConfigReader;
import dev.perigee.config.PerigeeConfigReader.Overrides;
import dev.perigee.testing.Contract;
import dev.perigee.testing.TestPostgres;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Statements for the external database over HTTP, and answers of it that are kept. The server is configured by the
/// original's environment names.
class ExternalPostgresTest {
    private static final String ADMIN = "token-of-the-admin";
    private static final String CLIENT = "token-of-a-client";

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();
    private TestPostgres postgres;
    private Perigee perigee;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        postgres.execute(
                "CREATE TABLE t (id int PRIMARY KEY, v text, j jsonb); INSERT INTO t VALUES (1, 'one', '{\"a\":1}')");
        Map<String, String> environment = new HashMap<>(Map.of(
                "ADMIN_AUTHORIZATION_TOKEN", ADMIN,
                "CLIENT_AUTHORIZATION_TOKEN", CLIENT,
                "EXTERNAL_DB_TYPE", "postgresql",
                "EXTERNAL_DB_HOST", "127.0.0.1",
                "EXTERNAL_DB_PORT", Integer.toString(postgres.port()),
                "EXTERNAL_DB_USER", "postgres",
                "EXTERNAL_DB_PASS", "postgres",
                "EXTERNAL_DB_DATABASE", postgres.database(),
                "EXTERNAL_DB_DEFAULT_SCHEMA", "public"));
        PerigeeConfig config = PerigeeConfigReader.read(
                Optional.empty(),
                new Overrides(Optional.of(folder.resolve("data")), Optional.empty(), OptionalInt.of(0)),
                environment);
        perigee = Perigee.open(config);
    }

    @AfterEach
    void stop() {
        http.shutdownNow();
        perigee.close();
        postgres.close();
    }

    private HttpRequest request(String token, String body, boolean wantsCache) {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + perigee.port() + "/query"))
                .header("Authorization", "Bearer " + token)
                .header("X-Starbase-Source", "external")
                .header("Content-Type", "application/json");
        if (wantsCache) request.header("X-Starbase-Cache", "true");
        return request.POST(BodyPublishers.ofString(body)).build();
    }

    private HttpResponse<String> send(String token, String body, boolean wantsCache) throws Exception {
        return http.send(request(token, body, wantsCache), BodyHandlers.ofString());
    }

    private String ask(String body) throws Exception {
        return send(ADMIN, body, false).body();
    }

    private String cached(String body) throws Exception {
        String answer = send(ADMIN, body, true).body();
        Awaitility.await().until(() -> kept() > 0); // it is kept behind the answer
        return answer;
    }

    /// An answer that may be an old one.
    private String taking(String body) throws Exception {
        return send(ADMIN, body, true).body();
    }

    private long kept() {
        return perigee.store().read(Duration.ofSeconds(5), tx -> {
            var count = tx.statement("SELECT count(*) FROM tmp_cache");
            count.step();
            return count.intAt(0);
        });
    }

    @Test
    @Contract("Kept: the original's environment names configure the server")
    void the_originals_names_say_where_the_database_is() throws Exception {
        assertThat(ask("{\"sql\":\"SELECT id, v FROM t\"}")).isEqualTo("{\"result\":[{\"id\":1,\"v\":\"one\"}]}");
    }

    @Test
    void a_transaction_is_all_or_nothing_at_the_source_too() throws Exception {
        assertThat(ask("""
                {"transaction":[{"sql":"INSERT INTO t VALUES (2, $1) RETURNING id","params":["two"]},
                    {"sql":"SELECT count(*)::int AS n FROM t"},{"sql":"UPDATE t SET v = 'x' WHERE id = :id","params":{"id":2}}]}""")).isEqualTo("{\"result\":[[{\"id\":2}],[{\"n\":2}],[]]}");
        HttpResponse<String> failed = send(ADMIN, """
                {"transaction":[{"sql":"INSERT INTO t VALUES (3, 'three')"},{"sql":"INSERT INTO t VALUES (1, 'again')"}]}""", false);
        assertThat(failed.statusCode()).isEqualTo(409);
        assertThat(failed.body()).contains("Statement 2 of 2");
        assertThat(ask("{\"sql\":\"SELECT id FROM t ORDER BY id\"}")).isEqualTo("{\"result\":[{\"id\":1},{\"id\":2}]}");
    }

    @Test
    void the_pages_example_is_answered_as_it_says() throws Exception {
        postgres.execute("CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY, item text, price numeric(8,2))");
        assertThat(ask("""
                {"transaction":[
                    {"sql":"INSERT INTO orders (item, price) VALUES (?, ?) RETURNING id","params":["tea","3.50"]},
                    {"sql":"SELECT count(*) AS n FROM orders WHERE price < :most","params":{"most":4}}]}""")).isEqualTo("{\"result\":[[{\"id\":1}],[{\"n\":1}]]}");
        assertThat(cached("{\"sql\":\"SELECT count(*) AS n FROM orders\"}")).isEqualTo("{\"result\":[{\"n\":1}]}");
    }

    @Test
    void named_parameters_are_told_from_casts_strings_and_operators() throws Exception {
        assertThat(ask("""
                {"sql":"SELECT :v::text AS a, ':v' AS b, j ? 'a' AS c, :n::bigint + :n::bigint AS d FROM t -- :v",
                 "params":{"v":"x","n":9007199254740993}}""")).isEqualTo("{\"result\":[{\"a\":\"x\",\"b\":\":v\",\"c\":1,\"d\":18014398509481986}]}");
        assertThat(ask("{\"sql\":\"SELECT (ARRAY[1,2,3])[1:2]::text AS a, :x::text AS x\",\"params\":{\"x\":null}}"))
                .isEqualTo("{\"result\":[{\"a\":\"{1,2}\",\"x\":null}]}");
        assertThat(send(ADMIN, "{\"sql\":\"SELECT 1\",\"params\":{\"x\":1}}", false)
                        .body())
                .contains("no placeholder `:x`");
        assertThat(send(ADMIN, "{\"sql\":\"SELECT $1\",\"params\":{\"x\":1}}", false)
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    @Contract({"Kept: X-Starbase-Cache: true caches external answers for 60 s", "Kept: tmp_cache has its columns"})
    void an_answer_is_kept_for_those_who_take_an_old_one() throws Exception {
        String sql =
                "{\"sql\":\"SELECT id, v, 1.5::float8 AS r, '\\\\x00ff'::bytea AS b, NULL AS n FROM t WHERE id = $1\",\"params\":[1]}";
        String first = cached(sql);
        assertThat(first).isEqualTo("{\"result\":[{\"id\":1,\"v\":\"one\",\"r\":1.5,\"b\":\"AP8=\",\"n\":null}]}");
        assertThat(kept()).isEqualTo(1);
        postgres.execute("UPDATE t SET v = 'changed'");
        assertThat(cached(sql)).isEqualTo(first);
        assertThat(ask(sql)).contains("changed");
        // Other values, another caller: another answer.
        assertThat(send(CLIENT, sql, true).body()).contains("changed");
        assertThat(cached(sql.replace("[1]", "[2]"))).isEqualTo("{\"result\":[]}");
        perigee.store().write(tx -> {
            tx.connection().exec("UPDATE tmp_cache SET timestamp = timestamp - 61000");
            return true;
        });
        assertThat(cached(sql)).contains("changed");
        String columns = perigee.store().read(Duration.ofSeconds(5), tx -> {
            var select = tx.statement("SELECT group_concat(name) FROM pragma_table_info('tmp_cache')");
            select.step();
            return String.valueOf(select.textAt(0));
        });
        assertThat(columns).isEqualTo("id,timestamp,ttl,query,results");
    }

    @Test
    @Contract("Different: a failing external query is never cached")
    void failures_and_statements_that_write_are_never_kept() throws Exception {
        assertThat(send(ADMIN, "{\"sql\":\"SELECT nothing\"}", true).statusCode())
                .isEqualTo(400);
        assertThat(taking("{\"sql\":\"INSERT INTO t VALUES (5, 'five')\"}")).isEqualTo("{\"result\":[]}");
        assertThat(taking("{\"sql\":\"WITH x AS (DELETE FROM t WHERE id = 5 RETURNING id) SELECT * FROM x\"}"))
                .isEqualTo("{\"result\":[{\"id\":5}]}");
        assertThat(taking("{\"sql\":\"WITH x AS (DELETE FROM t WHERE id = 5 RETURNING id) SELECT * FROM x\"}"))
                .isEqualTo("{\"result\":[]}");
        assertThat(send(ADMIN, "{\"sql\":\"SELECT repeat('x', 2000000) AS x\"}", true)
                        .body())
                .hasSizeGreaterThan(2_000_000);
        // What was to be kept of these would have been by the time that this one is.
        assertThat(cached("{\"sql\":\"SELECT 7 AS n\"}")).isEqualTo("{\"result\":[{\"n\":7}]}");
        assertThat(kept()).isEqualTo(1);
    }

    @Test
    void an_answer_is_old_when_replication_has_changed_a_copy() throws Exception {
        String sql = "{\"sql\":\"SELECT v FROM t\"}";
        assertThat(cached(sql)).contains("one");
        postgres.execute("UPDATE t SET v = 'changed'");
        assertThat(cached(sql)).contains("one");
        HttpResponse<String> added = http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + "/replication/tables"))
                        .header("Authorization", "Bearer " + ADMIN)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(
                                "{\"tables\":[{\"name\":\"t\",\"mode\":\"xmin\",\"intervalMs\":1000}]}"))
                        .build(),
                BodyHandlers.ofString());
        assertThat(added.statusCode()).as(added.body()).isLessThan(300);
        http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + "/replication/sync"))
                        .header("Authorization", "Bearer " + ADMIN)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString("{\"tables\":[\"t\"]}"))
                        .build(),
                BodyHandlers.ofString());
        assertThat(cached(sql)).contains("changed");
    }

    @Test
    void a_client_that_leaves_ends_its_statement_at_the_source() throws Exception {
        CompletableFuture<HttpResponse<String>> asked =
                http.sendAsync(request(ADMIN, "{\"sql\":\"SELECT pg_sleep(60)\"}", false), BodyHandlers.ofString());
        await(1);
        asked.cancel(true);
        await(0);
    }

    private void await(int running) throws Exception {
        long end = System.nanoTime() + 60_000_000_000L;
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            while (true) {
                try (ResultSet row = statement.executeQuery(
                        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'")) {
                    row.next();
                    if (row.getInt(1) == running) return;
                }
                assertThat(System.nanoTime()).isLessThan(end);
                Thread.sleep(20);
            }
        }
    }
}
