package dev.perigee.query.external;

import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.ServeConfig;
import dev.perigee.config.SourceConfig;
import dev.perigee.plugin.Json;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.Contract;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import dev.perigee.testing.TestPostgres;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Statements for a real PostgreSQL over HTTP: values, placeholders, and what each failure is.
class ExternalStatementsTest {
    @TempDir
    Path directory;

    private TestPostgres postgres;

    @BeforeEach
    void create() {
        postgres = TestPostgres.create();
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v text UNIQUE NOT NULL, n int CHECK (n > 0),"
                + " d int REFERENCES t DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (1, 'one', 1)");
    }

    @AfterEach
    void drop() {
        postgres.close();
    }

    /// A server, its source, and what asks it.
    private final class Asked implements AutoCloseable {
        final PostgresSource source;
        final ServedStore served;

        Asked(SourceConfig config, Setup setup) {
            source = new PostgresSource(config);
            served = new ServedStore(directory, setup.source(source));
        }

        HttpRequest request(String token, String sql, @Nullable Object params) {
            Map<String, Object> body = new HashMap<>(Map.of("sql", sql));
            if (params != null) body.put("params", params);
            return served.request("/query", token)
                    .header("Content-Type", "application/json")
                    .header("X-Starbase-Source", "external")
                    .POST(BodyPublishers.ofString(Json.MAPPER.writeValueAsString(body)))
                    .build();
        }

        HttpResponse<String> send(String sql, @Nullable Object params) {
            return served.send(request(CLIENT, sql, params));
        }

        String rows(String sql, @Nullable Object params) {
            HttpResponse<String> answer = send(sql, params);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            return Json.MAPPER.readTree(answer.body()).get("result").toString();
        }

        @Override
        public void close() {
            served.close();
            source.close();
        }
    }

    private Asked open() {
        return new Asked(postgres.config(), Setup.standard());
    }

    private SourceConfig config(int port, int maxConnections, Duration statementTimeout) {
        SourceConfig plain = TestPostgres.config(port, postgres.database());
        return new SourceConfig(
                plain.type(),
                plain.host(),
                plain.port(),
                plain.user(),
                plain.password(),
                plain.database(),
                plain.defaultSchema(),
                Map.of(),
                new SourceConfig.Limits(maxConnections, Duration.ofSeconds(2), statementTimeout));
    }

    @Test
    void values_go_and_come_exactly_whatever_their_type() {
        postgres.execute("""
                CREATE TYPE mood AS ENUM ('good', 'bad');
                CREATE TABLE typed (i8 int8, i2 int2, n numeric, f8 float8, b bool, t text, y bytea, j json, jb jsonb,
                    ia int[], ta text[], ts timestamptz, d date, tm time, u uuid, e mood, iv interval, x text)""");
        try (Asked asked = open()) {
            List<Object> params = new ArrayList<>(List.of(
                    Long.MIN_VALUE,
                    -7,
                    "12345678901234567890.000000001",
                    0.1,
                    true,
                    "é'\"\\?",
                    "\\x00ff",
                    "{\"a\": 1}",
                    "{\"b\":[1,2]}",
                    "{1,NULL,3}",
                    "{\"a,b\",c}",
                    "2024-02-03T04:05:06.123456+02:00",
                    "2024-02-29",
                    "23:59:59.5",
                    "7d444840-9dc0-11d1-b245-5ffdce74fad2",
                    "bad",
                    "P1DT2H"));
            params.add(null);
            String places = "?, ".repeat(params.size()).replaceAll(", $", "");
            asked.rows("INSERT INTO typed VALUES (" + places + ")", params);
            assertThat(asked.rows("SELECT * FROM typed", null))
                    .isEqualTo("[{\"i8\":-9223372036854775808,\"i2\":-7,\"n\":\"12345678901234567890.000000001\","
                            + "\"f8\":0.1,\"b\":1,\"t\":\"é'\\\"\\\\?\",\"y\":\"AP8=\",\"j\":\"{\\\"a\\\": 1}\","
                            + "\"jb\":\"{\\\"b\\\": [1, 2]}\",\"ia\":\"{1,NULL,3}\",\"ta\":\"{\\\"a,b\\\",c}\","
                            + "\"ts\":\"2024-02-03T02:05:06.123456Z\",\"d\":\"2024-02-29\",\"tm\":\"23:59:59.500000\","
                            + "\"u\":\"7d444840-9dc0-11d1-b245-5ffdce74fad2\",\"e\":\"bad\",\"iv\":\"P1DT2H\","
                            + "\"x\":null}]");
            // Each finds its row again, so it was not only kept as text.
            assertThat(asked.rows(
                            "SELECT count(*) AS n FROM typed WHERE i8 = $1 AND n = $2 AND f8 = $3 AND b = $4 AND y = $5"
                                    + " AND jb @> $6 AND ia = $7 AND ts = $8 AND iv = $9",
                            List.of(
                                    Long.MIN_VALUE,
                                    "12345678901234567890.000000001",
                                    0.1,
                                    true,
                                    "\\x00ff",
                                    "{\"b\":[2]}",
                                    "{1,NULL,3}",
                                    "2024-02-03T02:05:06.123456Z",
                                    "P1DT2H")))
                    .isEqualTo("[{\"n\":1}]");
        }
    }

    @Test
    void only_a_question_mark_that_stands_for_a_value_is_a_placeholder() {
        try (Asked asked = open()) {
            assertThat(asked.rows("""
                            SELECT ?::int AS a, '?' AS b, E'\\'?' AS c, $$?$$ AS d, $q$'?$$?$q$ AS e, "?" AS f -- ? it's
                            FROM (SELECT 6 AS "?") s /* ? /* ? */ ? */ WHERE "?" = ?""", List.of(5, 6)))
                    .isEqualTo("[{\"a\":5,\"b\":\"?\",\"c\":\"'?\",\"d\":\"?\",\"e\":\"'?$$?\",\"f\":6}]");
            String document = "'{\"k\":1}'::jsonb ";
            // `??` is the operator where `?` are placeholders, `?|` and `?&` are themselves; with `$1` all are.
            assertThat(asked.rows(
                            "SELECT " + document + "?? ? AS a, " + document + "?| ?::text[] AS b", List.of("k", "{x}")))
                    .isEqualTo("[{\"a\":1,\"b\":0}]");
            assertThat(asked.rows(
                            "SELECT " + document + "? $1 AS a, " + document + "?& $2::text[] AS b",
                            List.of("k", "{k}")))
                    .isEqualTo("[{\"a\":1,\"b\":1}]");
            assertThat(asked.rows("SELECT " + document + "? :k AS a, ':k' AS b, 1::int AS c", Map.of("k", "k")))
                    .isEqualTo("[{\"a\":1,\"b\":\":k\",\"c\":1}]");
            HttpResponse<String> tooMany = asked.send("SELECT " + document + "? 'k' AS a", List.of());
            assertThat(tooMany.statusCode()).isEqualTo(400);
            assertThat(tooMany.body()).contains("written `??`");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELEC 1 | 400 | at character 1",
                "SELECT 1/0 | 400 | division by zero",
                "SELECT 1; SELECT 2 | 400 | one statement",
                "COMMIT | 400 | COMMIT is not allowed",
                "VACUUM t | 400 | Run it at the source itself",
                "CREATE INDEX CONCURRENTLY i ON t (v) | 400 | Run it at the source itself",
                "INSERT INTO t VALUES (1, 'again', 1) | 409 | t_pkey",
                "INSERT INTO t VALUES (2, 'one', 1) | 409 | t_v_key",
                "INSERT INTO t VALUES (2, NULL, 1) | 409 | null value",
                "INSERT INTO t VALUES (2, 'two', -1) | 409 | t_n_check",
                "SELECT pg_terminate_backend(pg_backend_pid()) | 502 | SOURCE_UNREACHABLE",
            })
    @Contract("Different: a failing external query is its error, 502 or 400")
    void each_failure_has_its_status_and_says_why(String sql, int status, String why) {
        try (Asked asked = open()) {
            HttpResponse<String> answer = asked.send(sql, null);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
            assertThat(answer.body()).contains(why).startsWith("{\"error\":");
            assertThat(asked.rows("SELECT count(*) AS n FROM t", null)).isEqualTo("[{\"n\":1}]");
        }
    }

    @Test
    void a_constraint_that_is_looked_at_when_all_is_done_is_409_and_nothing_is_kept() {
        try (Asked asked = open()) {
            HttpResponse<String> answer = asked.send("INSERT INTO t VALUES (2, 'two', 1, 77)", null);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(409);
            assertThat(asked.rows("SELECT id FROM t", null)).isEqualTo("[{\"id\":1}]");
        }
    }

    @Test
    void a_source_that_is_away_is_502_without_its_password() {
        try (Asked asked = new Asked(config(1, 4, Duration.ofSeconds(5)), Setup.standard())) {
            HttpResponse<String> answer = asked.send("SELECT 1", null);
            assertThat(answer.statusCode()).isEqualTo(502);
            assertThat(answer.body()).contains("SOURCE_UNREACHABLE").doesNotContain("postgres\"");
        }
    }

    @Test
    void a_statement_past_the_sources_limit_or_the_requests_is_504_and_ended_there() throws Exception {
        try (Asked asked = new Asked(config(postgres.port(), 4, Duration.ofMillis(300)), Setup.standard())) {
            HttpResponse<String> answer = asked.send("SELECT pg_sleep(60)", null);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(504);
            assertThat(answer.body()).contains("57014");
        }
        UnaryOperator<dev.perigee.config.ServeConfig> hasty = c -> c.with(new ServeConfig.Limits(
                c.limits().maxBodyBytes(),
                c.limits().maxConnections(),
                Duration.ofSeconds(1),
                c.limits().shutdownGrace()));
        Setup setup = Setup.standard().serve(hasty);
        try (Asked asked = new Asked(config(postgres.port(), 4, Duration.ofSeconds(60)), setup)) {
            long begin = System.nanoTime();
            HttpResponse<String> answer =
                    asked.send("WITH w AS (INSERT INTO t VALUES (2, 'two', 1)) SELECT pg_sleep(60)", null);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(504);
            assertThat(answer.body()).contains("took longer");
            assertThat(System.nanoTime() - begin)
                    .as("ended before the source's own limit")
                    .isLessThan(Duration.ofSeconds(55).toNanos());
            awaitRunning(0);
            assertThat(asked.rows("SELECT id FROM t", null)).isEqualTo("[{\"id\":1}]");
        }
    }

    @Test
    void callers_leave_a_connection_to_replication_and_those_too_many_are_503() throws Exception {
        try (Asked asked = new Asked(config(postgres.port(), 2, Duration.ofSeconds(60)), Setup.standard())) {
            CompletableFuture<HttpResponse<String>> slow = asked.served.http.sendAsync(
                    asked.request(CLIENT, "SELECT pg_sleep(60)", null), BodyHandlers.ofString());
            awaitRunning(1);
            CompletableFuture<HttpResponse<String>> refused =
                    asked.served.http.sendAsync(asked.request(CLIENT, "SELECT 1", null), BodyHandlers.ofString());
            assertThat(asked.source.discover()).isNotEmpty();
            assertThat(refused.get().statusCode()).as(refused.get().body()).isEqualTo(503);
            assertThat(refused.get().body()).contains("maxConnections");
            assertThat(refused.get().headers().firstValue("Retry-After")).isPresent();
            slow.cancel(true);
            awaitRunning(0);
            assertThat(asked.rows("SELECT 1 AS one", null)).isEqualTo("[{\"one\":1}]");
        }
    }

    @Test
    void a_transaction_with_too_many_rows_is_refused_before_it_is_committed() {
        Setup setup = Setup.standard()
                .query(new dev.perigee.config.QueryConfig(
                        Duration.ofSeconds(5), Duration.ofSeconds(5), 100_000, 3, 10, 10L << 20));
        try (Asked asked = new Asked(postgres.config(), setup)) {
            HttpResponse<String> answer =
                    transaction(asked, "INSERT INTO t VALUES (2, 'two', 1)", "SELECT generate_series(1, 4)");
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
            assertThat(asked.rows("SELECT id FROM t", null)).isEqualTo("[{\"id\":1}]");
        }
    }

    private HttpResponse<String> transaction(Asked asked, String... statements) {
        List<Map<String, String>> body = new ArrayList<>();
        for (String sql : statements) body.add(Map.of("sql", sql));
        return asked.served.send(asked.served
                .request("/query", CLIENT)
                .header("Content-Type", "application/json")
                .header("X-Starbase-Source", "external")
                .POST(BodyPublishers.ofString(Json.MAPPER.writeValueAsString(Map.of("transaction", body))))
                .build());
    }

    @Test
    void a_transaction_cannot_free_itself_of_the_sources_limit() {
        try (Asked asked = new Asked(config(postgres.port(), 4, Duration.ofMillis(500)), Setup.standard())) {
            HttpResponse<String> answer = transaction(
                    asked, "SET statement_timeout = 0", "SET LOCAL statement_timeout = 0", "SELECT pg_sleep(20)");
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(504);
            assertThat(answer.body()).contains("Statement 3 of 3", "57014");
        }
    }

    @Test
    void a_statement_that_has_no_place_is_named_by_its_number_and_nothing_is_sent() {
        try (Asked asked = open()) {
            String insert = "INSERT INTO t VALUES (2, 'two', 1)";
            assertThat(transaction(asked, insert, "COMMIT", insert).body())
                    .contains("Statement 2 of 3", "It was not sent");
            assertThat(transaction(asked, insert, "SELECT $1", insert).body()).contains("Statement 2 of 3");
            HttpResponse<String> again = transaction(asked, insert, "SELECT 1", insert);
            assertThat(again.statusCode()).isEqualTo(409);
            assertThat(again.body()).contains("Statement 3 of 3");
            assertThat(asked.rows("SELECT id FROM t", null)).isEqualTo("[{\"id\":1}]");
            assertThat(transaction(asked, "SET LOCAL search_path = pg_catalog", "SHOW search_path")
                            .body())
                    .isEqualTo("{\"result\":[[],[{\"search_path\":\"pg_catalog\"}]]}");
            assertThat(asked.rows("SHOW search_path", null)).contains("public");
        }
    }

    @Test
    void statements_run_in_the_schema_that_is_configured_and_find_public_behind_it() {
        postgres.execute(
                "CREATE SCHEMA \"Sales\"; CREATE TABLE \"Sales\".t (v text); INSERT INTO \"Sales\".t VALUES ('sold');"
                        + " CREATE TABLE only_public (v text)");
        SourceConfig plain = postgres.config();
        SourceConfig sales = new SourceConfig(
                plain.type(),
                plain.host(),
                plain.port(),
                plain.user(),
                plain.password(),
                plain.database(),
                "Sales",
                Map.of(),
                new SourceConfig.Limits(
                        4, plain.limits().connectTimeout(), plain.limits().statementTimeout()));
        try (Asked asked = new Asked(sales, Setup.standard())) {
            assertThat(asked.rows("SELECT v FROM t", null)).isEqualTo("[{\"v\":\"sold\"}]");
            assertThat(asked.rows("SELECT v FROM only_public", null)).isEqualTo("[]");
        }
    }

    @Test
    @Contract("Kept: tmp_query_log has its columns")
    void statements_of_both_places_and_of_rest_are_logged() throws Exception {
        Setup setup = Setup.standard()
                .query(dev.perigee.config.QueryConfig.defaults().with(false, false, true))
                .plugins(new dev.perigee.bundled.rest.RestPlugin());
        try (Asked asked = new Asked(postgres.config(), setup)) {
            asked.rows("SELECT v FROM t WHERE id = ?", List.of(1));
            asked.served.get("/rest/t?source=external&v=secret", CLIENT);
            asked.served.get("/rest/tmp_none", CLIENT);
            asked.served.query("CREATE TABLE own (v TEXT)");
            asked.served.get("/rest/own?v=secret", CLIENT);
            long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            String logged = "";
            while (!logged.contains("\"n\":4")) {
                assertThat(System.nanoTime()).as(logged).isLessThan(end);
                Thread.sleep(50);
                logged = asked.served
                        .query(
                                "SELECT count(*) AS n, group_concat(sql_statement, '; ') AS all_of_them FROM tmp_query_log"
                                        + " WHERE sql_statement NOT LIKE '%tmp_query_log%'")
                        .toString();
            }
            assertThat(logged).contains("own").doesNotContain("secret");
        }
    }

    private void awaitRunning(int count) throws SQLException {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            while (true) {
                try (ResultSet row = statement.executeQuery("""
                        SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
                              AND query LIKE '%pg_sleep%'""")) {
                    row.next();
                    if (row.getInt(1) == count) return;
                }
                assertThat(System.nanoTime()).isLessThan(end);
                Thread.onSpinWait();
            }
        }
    }
}
