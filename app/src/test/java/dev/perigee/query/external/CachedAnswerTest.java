package dev.perigee.query.external;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.perigee.bundled.rest.RestPlugin;
import dev.perigee.plugin.Json;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.Contract;
import dev.perigee.testing.JwksServer;
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
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `X-Starbase-Cache: true` between callers who must not see or spoil each other's answers.
class CachedAnswerTest {
    private static final RSAKey KEY = JwksServer.key("one");

    @TempDir
    Path directory;

    private TestPostgres postgres;
    private JwksServer provider;
    private PostgresSource source;
    private ServedStore served;

    @BeforeEach
    void open() throws Exception {
        postgres = TestPostgres.create();
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one')");
        provider = new JwksServer();
        provider.publish(KEY);
        source = new PostgresSource(postgres.config());
        served = new ServedStore(
                directory,
                Setup.standard()
                        .source(source)
                        .serve(c -> ServedStore.with(c, c.access().clientToken(), Optional.of(provider.url())))
                        .plugins(new RestPlugin()));
    }

    @AfterEach
    void close() {
        served.close();
        source.close();
        provider.close();
        postgres.close();
    }

    private static String token(String subject, String team) {
        JWTClaimsSet claims = new JWTClaimsSet.Builder()
                .subject(subject)
                .claim("team", team)
                .expirationTime(Date.from(Instant.ofEpochSecond(4_000_000_000L)))
                .build();
        return JwksServer.token(KEY, JWSAlgorithm.RS256, claims);
    }

    private HttpRequest request(String token, String sql) {
        return served.request("/query", token)
                .header("Content-Type", "application/json")
                .header("X-Starbase-Source", "external")
                .header("X-Starbase-Cache", "true")
                .POST(BodyPublishers.ofString(Json.MAPPER.writeValueAsString(Map.of("sql", sql))))
                .build();
    }

    private String cached(String token, String sql) {
        HttpResponse<String> answer = served.send(request(token, sql));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        served.store.write(_ -> true); // What is to be kept is now.
        return answer.body();
    }

    private long kept() {
        return served.query("SELECT count(*) AS n FROM tmp_cache")
                .at("/result/0/n")
                .asLong();
    }

    @Test
    void callers_with_other_claims_never_share_an_answer() {
        String sql = "SELECT v FROM t";
        String blue = token("user-1", "blue");
        assertThat(cached(blue, sql)).contains("one");
        postgres.execute("UPDATE t SET v = 'two'");
        assertThat(cached(blue, sql)).contains("one");
        // The same claims by a token signed anew are the same caller.
        assertThat(cached(token("user-1", "blue"), sql)).contains("one");
        assertThat(cached(token("user-1", "red"), sql)).contains("two");
        assertThat(cached(token("user-2", "blue"), sql)).contains("two");
        assertThat(cached(CLIENT, sql)).contains("two");
        assertThat(cached(ADMIN, sql)).contains("two");
        assertThat(kept()).isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM tmp_cache",
                "SELECT * FROM \"TMP_Cache\"",
                "INSERT INTO tmp_cache (timestamp, ttl, query, results) VALUES (9e15, 60, 'x', '[[]]')",
                "UPDATE tmp_cache SET results = '[[\"v\"],[\"forged\"]]'",
                "DELETE FROM tmp_cache"
            })
    void a_client_neither_reads_nor_spoils_what_is_kept(String sql) {
        assertThat(cached(ADMIN, "SELECT v FROM t")).contains("one");
        HttpResponse<String> answer = served.run(CLIENT, sql);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
        assertThat(cached(ADMIN, "SELECT v FROM t")).contains("one");
        assertThat(kept()).isEqualTo(1);
    }

    @Test
    @Contract("Different: a failing external query is never cached")
    void only_an_answer_of_rows_that_the_source_says_were_only_read_is_kept() {
        postgres.execute("CREATE SEQUENCE s; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS"
                + " 'INSERT INTO t VALUES (2, ''by a function'') RETURNING id'");
        assertThat(cached(CLIENT, "SELECT nextval('s') AS n")).contains("1");
        assertThat(cached(CLIENT, "SELECT nextval('s') AS n")).contains("2");
        assertThat(cached(CLIENT, "SELECT f() AS id")).contains("2");
        assertThat(served.send(request(CLIENT, "SELECT f() AS id")).statusCode())
                .isEqualTo(409);
        assertThat(cached(CLIENT, "SET work_mem = '5MB'")).isEqualTo("{\"result\":[]}");
        assertThat(cached(CLIENT, "NOTIFY somebody")).isEqualTo("{\"result\":[]}");
        assertThat(served.send(request(CLIENT, "SELECT id / 0 FROM t")).statusCode())
                .isEqualTo(400);
        assertThat(served.send(request(CLIENT, "SELECT set_config('transaction_read_only', 'off', true), f()"))
                        .statusCode())
                .isGreaterThanOrEqualTo(400);
        assertThat(cached(CLIENT, "SELECT FROM generate_series(1, 600000)")).hasSizeGreaterThan(1_200_000);
        assertThat(kept()).isZero();
    }

    @Test
    void an_answer_on_its_way_is_not_kept_past_a_change_of_a_copy() throws Exception {
        String sql = "SELECT v, pg_advisory_xact_lock(7)::text AS l FROM t";
        CompletableFuture<HttpResponse<String>> slow;
        try (Connection holder = postgres.connect();
                Statement statement = holder.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(7)");
            slow = served.http.sendAsync(request(CLIENT, sql), BodyHandlers.ofString());
            awaitWaiting(statement);
            // As a sync does in the transaction of a page.
            served.store.write(tx -> {
                tx.copyChanged();
                return true;
            });
            statement.execute("SELECT pg_advisory_unlock(7)");
        }
        assertThat(slow.get().body()).contains("one");
        postgres.execute("UPDATE t SET v = 'two'");
        assertThat(cached(CLIENT, sql)).contains("two");
    }

    private static void awaitWaiting(Statement statement) throws Exception {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (true) {
            try (ResultSet row = statement.executeQuery(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
                            + " (SELECT oid FROM pg_database WHERE datname = current_database())")) {
                row.next();
                if (row.getInt(1) == 1) return;
            }
            assertThat(System.nanoTime()).isLessThan(end);
            Thread.sleep(10);
        }
    }

    @Test
    @Contract("Kept: X-Starbase-Cache: true caches external answers for 60 s")
    void rest_takes_and_leaves_answers_too_and_the_replica_never_does() {
        HttpRequest rest = served.request("/rest/t/1", CLIENT)
                .header("X-Starbase-Source", "external")
                .header("X-Starbase-Cache", "true")
                .build();
        assertThat(served.send(rest).body()).contains("one");
        served.store.write(_ -> true);
        postgres.execute("UPDATE t SET v = 'two'");
        assertThat(served.send(rest).body()).contains("one");
        assertThat(served.send(served.request("/rest/t/1", CLIENT)
                                .header("X-Starbase-Source", "external")
                                .build())
                        .body())
                .contains("two");
        assertThat(kept()).isEqualTo(1);
        served.query("CREATE TABLE own (v TEXT)");
        HttpRequest internal = served.request("/query", CLIENT)
                .header("Content-Type", "application/json")
                .header("X-Starbase-Cache", "true")
                .POST(BodyPublishers.ofString("{\"sql\":\"SELECT count(*) AS n FROM own\"}"))
                .build();
        assertThat(served.send(internal).body()).contains("0");
        served.query("INSERT INTO own VALUES ('x')");
        assertThat(served.send(internal).body()).contains("1");
        assertThat(kept()).isEqualTo(1);
    }

    @Test
    @Contract("Kept: GET /_internal/stats has databaseSize, activeConnections, recentQueries, plugins")
    void statements_of_rest_count_as_those_of_query_do_in_both_places() {
        served.query("CREATE TABLE own (id INTEGER PRIMARY KEY, v TEXT)");
        long before = recent();
        assertThat(served.get("/rest/own", CLIENT).statusCode()).isEqualTo(200);
        assertThat(served.post("/rest/own", CLIENT, "{\"v\":\"x\"}").statusCode())
                .isEqualTo(201);
        assertThat(served.get("/rest/t?source=external", CLIENT).statusCode()).isEqualTo(200);
        assertThat(served.get("/rest/t?source=external&id=no", CLIENT).statusCode())
                .isEqualTo(400);
        assertThat(recent() - before).isEqualTo(4);
        String metrics = served.get("/metrics", ADMIN).body();
        assertThat(metrics)
                .contains("perigee_statements_total{outcome=\"done\",where=\"external\"} 1.0")
                .contains("perigee_statements_total{outcome=\"failed\",where=\"external\"} 1.0")
                .contains("perigee_query_seconds_count{where=\"external\"} 2");
    }

    private long recent() {
        return Json.MAPPER
                .readTree(served.get("/_internal/stats", ADMIN).body())
                .at("/result/recentQueries")
                .asLong();
    }
}
