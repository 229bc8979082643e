package dev.perigee.serve;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.QueryConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.testing.Contract;
import dev.perigee.testing.RawHttp;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What one request may cost, and what is not even HTTP.
class LimitsTest {
    private static final String ENDLESS =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    @TempDir
    Path directory;

    /// With the usual limits, for all tests that need no others.
    private static ServedStore usual;

    @BeforeAll
    static void open(@TempDir Path folder) {
        usual = new ServedStore(folder);
    }

    @AfterAll
    static void close() {
        usual.close();
    }

    private static Setup limits(long maxBodyBytes, int maxConnections, Duration requestTimeout) {
        return Setup.standard()
                .serve(c -> c.with(new ServeConfig.Limits(
                        maxBodyBytes, maxConnections, requestTimeout, c.limits().shutdownGrace())));
    }

    private static Setup queries(Duration read, Duration write, long maxRows) {
        return Setup.standard().query(new QueryConfig(read, write, 1000, maxRows, 3, 256L << 20));
    }

    @Test
    @Contract("Different: limits have names and defaults")
    void a_body_past_the_limit_is_413_with_and_without_its_length() {
        try (ServedStore served = new ServedStore(directory, limits(1000, 64, Duration.ofSeconds(30)))) {
            String body = "{\"sql\":\"SELECT 1 -- %s\"}".formatted("x".repeat(1000));
            HttpResponse<String> declared = served.post("/query", CLIENT, body);
            assertThat(declared.statusCode()).isEqualTo(413);
            assertThat(declared.body()).contains("1000 bytes");
            HttpResponse<String> chunked = served.send(served.request("/query", CLIENT)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body.getBytes())))
                    .build());
            assertThat(chunked.statusCode()).isEqualTo(413);
            assertThat(served.run(CLIENT, "SELECT 1").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void a_body_of_exactly_the_limit_is_taken() {
        try (ServedStore served = new ServedStore(directory, limits(100, 64, Duration.ofSeconds(30)))) {
            String body = "{\"sql\":\"SELECT 1 AS a\"}";
            assertThat(served.post("/query", CLIENT, body + " ".repeat(100 - body.length()))
                            .statusCode())
                    .isEqualTo(200);
            assertThat(served.post("/query", CLIENT, body + " ".repeat(101 - body.length()))
                            .statusCode())
                    .isEqualTo(413);
        }
    }

    @Test
    void deep_and_malformed_json_is_400_and_says_where() {
        for (String body : List.of(
                "[".repeat(100_000),
                "{\"x\":" + "[".repeat(100_000),
                "{\"sql\":\"SELECT 1\",\"x\":" + "{\"a\":".repeat(50_000),
                "{\"sql\":\"SELECT ?\",\"params\":[" + "9".repeat(50_000) + "]}",
                "{\"sql\":\"SELECT 1\",\"sql",
                "{\"sql\":\"\\ud800\\uZZZZ\"}",
                "\u0000\u0001")) {
            HttpResponse<String> answer = usual.post("/query", CLIENT, body);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
            assertThat(answer.body())
                    .startsWith("{\"error\":")
                    .doesNotContain("StreamReadConstraints", "jackson", "Exception", "()");
        }
        assertThat(usual.post("/query", CLIENT, "{\"x\":" + "[".repeat(2000)).body())
                .isEqualTo("{\"error\":\"The body is JSON that is larger than this server reads: "
                        + "at most 500 levels deep, numbers of 1000 digits, names of 50000 characters.\"}");
        assertThat(usual.post("/query", CLIENT, "{\"sql\":\n \"SELECT 1\" x}").body())
                .contains("line 2, column");
    }

    @Test
    void a_statement_or_transaction_that_is_too_long_is_413() {
        try (ServedStore served =
                new ServedStore(directory, queries(Duration.ofSeconds(30), Duration.ofSeconds(10), 1000))) {
            assertThat(served.run(CLIENT, "SELECT '" + "x".repeat(1000) + "'").statusCode())
                    .isEqualTo(413);
            String one = "{\"sql\":\"SELECT 1\"}";
            assertThat(served.post("/query", CLIENT, "{\"transaction\":[%s,%s,%s]}".formatted(one, one, one))
                            .statusCode())
                    .isEqualTo(200);
            assertThat(served.post("/query", CLIENT, "{\"transaction\":[%s,%s,%s,%s]}".formatted(one, one, one, one))
                            .statusCode())
                    .isEqualTo(413);
        }
    }

    @Test
    void more_rows_than_allowed_are_413_and_a_write_is_undone_with_it() {
        try (ServedStore served =
                new ServedStore(directory, queries(Duration.ofSeconds(30), Duration.ofSeconds(10), 3))) {
            served.query("CREATE TABLE t (a)");
            assertThat(served.run(CLIENT, "VALUES (1), (2), (3)").statusCode()).isEqualTo(200);
            assertThat(served.run(CLIENT, "VALUES (1), (2), (3), (4)").statusCode())
                    .isEqualTo(413);
            assertThat(served.run(CLIENT, "INSERT INTO t VALUES (1), (2), (3), (4) RETURNING a")
                            .statusCode())
                    .isEqualTo(413);
            assertThat(served.query("SELECT count(*) AS n FROM t")).hasToString("{\"result\":[{\"n\":0}]}");
        }
    }

    @Test
    @Contract({
        "Different: limits have names and defaults",
        "Different: statuses are 400, 401, 403, 404, 409, 413, 429, 503, 504"
    })
    void a_read_past_its_time_is_504_and_its_reader_is_free_again() {
        try (ServedStore served =
                new ServedStore(directory, queries(Duration.ofSeconds(1), Duration.ofSeconds(10), 1000))) {
            for (int i = 0; i < 2 * served.store.callerReaders(); i++) {
                // A busy machine may take longer to start a worker than a statement waits for one.
                HttpResponse<String> answer =
                        Awaitility.await().until(() -> served.run(CLIENT, ENDLESS), given -> given.statusCode() != 503);
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(504);
            }
            assertThat(served.run(CLIENT, "SELECT 1").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void a_write_past_its_time_is_504_and_nothing_of_it_stays() {
        try (ServedStore served =
                new ServedStore(directory, queries(Duration.ofSeconds(30), Duration.ofSeconds(1), 1000))) {
            served.query("CREATE TABLE t (a)");
            HttpResponse<String> answer = served.run(CLIENT, "INSERT INTO t " + ENDLESS.replace("count(*)", "i"));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(504);
            assertThat(served.query("SELECT count(*) AS n FROM t")).hasToString("{\"result\":[{\"n\":0}]}");
            assertThat(served.run(CLIENT, "INSERT INTO t VALUES (1)").statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void a_write_past_its_bytes_is_413_and_the_wal_is_small_again() {
        Setup setup = Setup.standard()
                .query(new QueryConfig(Duration.ofSeconds(30), Duration.ofSeconds(30), 1000, 1000, 3, 32L << 20));
        try (ServedStore served = new ServedStore(directory, setup)) {
            String endless = "CREATE TABLE big AS "
                    + ENDLESS.replace("count(*) FROM n", "i, hex(zeroblob(100)) FROM n LIMIT 10000000");
            HttpResponse<String> answer = served.run(ADMIN, endless);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
            assertThat(answer.body()).contains("query.maxWriteBytes = 33554432");
            assertThat(served.query("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'big'"))
                    .hasToString("{\"result\":[{\"n\":0}]}");
            Awaitility.await().until(() -> served.store.stats().walBytes() < 1 << 20);
            assertThat(served.run(CLIENT, "CREATE TABLE small (a)").statusCode())
                    .as("what others write")
                    .isEqualTo(200);
        }
    }

    @Test
    void a_request_past_the_server_s_time_is_504_too() {
        try (ServedStore served = new ServedStore(directory, limits(1000, 64, Duration.ofMillis(500)))) {
            HttpResponse<String> answer = served.run(CLIENT, ENDLESS);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(504);
        }
    }

    @Test
    void a_body_that_does_not_come_is_cut_off() throws Exception {
        try (ServedStore served = new ServedStore(directory, limits(1000, 64, Duration.ofMillis(500)));
                RawHttp raw = new RawHttp(served.server.port())) {
            raw.send("""
                    POST /query HTTP/1.1\r
                    Host: localhost\r
                    Authorization: client-token\r
                    Content-Type: application/json\r
                    Content-Length: 500\r
                    \r
                    {"sql":""");
            assertThat(raw.rest()).doesNotContain("200 OK");
        }
    }

    @Test
    void an_answer_that_comes_before_the_body_says_that_the_connection_closes() throws Exception {
        try (RawHttp raw = new RawHttp(usual.server.port())) {
            String head = "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n";
            assertThat(raw.send(head).head()).startsWith("HTTP/1.1 401").contains("Connection: close");
        }
    }

    @Test
    void headers_that_drip_are_cut_off_and_connections_that_work_are_not() throws Exception {
        try (ServedStore served = new ServedStore(directory, limits(1000, 64, Duration.ofSeconds(3)));
                RawHttp works = new RawHttp(served.server.port());
                RawHttp drips = new RawHttp(served.server.port())) {
            String request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
            drips.send(request).head();
            drips.socket.getInputStream().readNBytes(26);
            drips.send("GET /healthz HTTP/1.1\r\nX: ");
            drips.socket.setSoTimeout(100);
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> {
                assertThat(works.send(request).head()).startsWith("HTTP/1.1 200");
                works.socket.getInputStream().readNBytes(26);
                try {
                    return drips.send("y").socket.getInputStream().read() < 0;
                } catch (java.net.SocketTimeoutException _) {
                    return false;
                } catch (IOException _) {
                    return true;
                }
            });
        }
    }

    @Test
    void a_connection_past_the_limit_waits_until_another_closes() throws Exception {
        try (ServedStore served = new ServedStore(directory, limits(1000, 2, Duration.ofSeconds(30)))) {
            RawHttp first = new RawHttp(served.server.port());
            RawHttp second = new RawHttp(served.server.port());
            String request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
            assertThat(first.send(request).head()).startsWith("HTTP/1.1 200");
            assertThat(second.send(request).head()).startsWith("HTTP/1.1 200");
            try (RawHttp third = new RawHttp(served.server.port())) {
                third.send(request);
                third.socket.setSoTimeout(300);
                assertThatThrownBy(third::head).isInstanceOf(java.net.SocketTimeoutException.class);
                first.close();
                third.socket.setSoTimeout(20_000);
                assertThat(third.head()).startsWith("HTTP/1.1 200");
            }
            second.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /query, 405, 'OPTIONS, POST'",
        "PUT, /query/raw, 405, 'OPTIONS, POST'",
        "POST, /healthz, 405, 'GET, HEAD, OPTIONS'",
        "DELETE, /status/database, 405, 'GET, HEAD, OPTIONS'",
        "POST, /, 405, 'GET, HEAD, OPTIONS'",
        "BREW, /query, 405, 'OPTIONS, POST'",
        "GET, /nowhere, 404,",
        "GET, /query/, 404,",
        "GET, //query, 400,",
        "POST, /query;x=1, 404,",
        "GET, /page/, 404,",
        "GET, /page/..%2f..%2fapplication.yaml, 404,",
        "GET, /page/..%5c..%5cServer.class, 404,",
        "GET, /page/nowhere.js, 404,",
        "GET, /page/index, 404,",
        "GET, /page/a/b/c.js, 404,",
    })
    void other_paths_are_404_and_other_methods_405(String method, String path, int status, String allow) {
        HttpResponse<String> answer = usual.send(usual.request(path, ADMIN)
                .method(method, BodyPublishers.noBody())
                .build());
        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.body()).startsWith("{\"error\":");
        assertThat(answer.headers().firstValue("Allow").orElse(null)).isEqualTo(allow);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense\r\n\r\n",
                "GET\r\n\r\n",
                "GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n",
                "GET /healthz HTTP/1.1\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: localhost\r\n folded: y\r\n\r\n",
                "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /page/../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /page/%2e%2e/Server.class HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /page/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /page/%ff.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /page/index.html%00.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "CONNECT other:443 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
                "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                "POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                "POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: client-token\r\n"
                        + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
            })
    void what_is_not_proper_http_is_refused_and_the_server_goes_on(String request) throws Exception {
        String answer = RawHttp.exchange(usual.server.port(), request);
        assertThat(answer).matches("(?s)(HTTP/1.1 (4|505).*|)").doesNotContain("root:", "HTTP/1.1 200", "Exception");
        assertThat(answer.split("HTTP/1\\.1 ").length).isLessThanOrEqualTo(2);
        assertThat(usual.getAsNobody("/healthz").statusCode()).isEqualTo(200);
    }

    @Test
    void headers_that_are_too_large_are_431_in_the_envelope() throws Exception {
        String answer = RawHttp.exchange(
                usual.server.port(), "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "y".repeat(20_000) + "\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 431").contains("{\"error\":");
        String path = RawHttp.exchange(
                usual.server.port(), "GET /" + "y".repeat(20_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assertThat(path).startsWith("HTTP/1.1 414").contains("{\"error\":");
    }

    @Test
    void a_client_that_goes_away_frees_its_reader() throws Exception {
        try (ServedStore served = new ServedStore(directory)) {
            try (RawHttp raw = new RawHttp(served.server.port())) {
                String body = ServedStore.statement(ENDLESS);
                raw.send("POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: client-token\r\n"
                        + "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
                Awaitility.await().until(() -> served.workers().stats().busy() == 1);
            }
            Awaitility.await()
                    .atMost(Duration.ofMinutes(1))
                    .until(() -> served.workers().stats().busy() == 0);
        }
    }

    @Test
    void a_client_that_stops_reading_or_leaves_in_the_middle_frees_its_reader_and_connection() throws Exception {
        try (ServedStore served = new ServedStore(directory, limits(1000, 64, Duration.ofSeconds(2)))) {
            served.awaitWorker();
            String body = ServedStore.statement(ENDLESS.replace("count(*)", "i, hex(zeroblob(100))"));
            String request = "POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: client-token\r\n"
                    + "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
            try (RawHttp leaves = new RawHttp(served.server.port())) {
                assertThat(leaves.send(request).head()).startsWith("HTTP/1.1 200");
            }
            Awaitility.await()
                    .atMost(Duration.ofMinutes(1))
                    .until(() -> served.workers().stats().busy() == 0);
            try (RawHttp stops = new RawHttp(served.server.port())) {
                assertThat(stops.send(request).head()).startsWith("HTTP/1.1 200");
                assertThat(served.workers().stats().busy()).isEqualTo(1);
                Awaitility.await()
                        .atMost(Duration.ofMinutes(1))
                        .until(() -> served.workers().stats().busy() == 0);
                assertThat(served.run(CLIENT, "SELECT 1").statusCode()).isEqualTo(200);
            }
        }
    }

    @Test
    void large_answers_leave_a_reader_for_others() throws Exception {
        try (ServedStore served = new ServedStore(directory)) {
            String body = ServedStore.statement(ENDLESS.replace("count(*)", "i, hex(zeroblob(100))"));
            String request = "POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: client-token\r\n"
                    + "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
            int large = served.store.callerReaders() - 1;
            RawHttp[] slow = new RawHttp[large];
            for (int i = 0; i < large; i++) {
                slow[i] = new RawHttp(served.server.port());
                assertThat(slow[i].send(request).head()).startsWith("HTTP/1.1 200");
            }
            HttpResponse<String> another = served.post("/query", CLIENT, body);
            assertThat(another.statusCode()).isEqualTo(503);
            assertThat(another.headers().firstValue("Retry-After")).isPresent();
            assertThat(served.run(CLIENT, "SELECT 1").statusCode()).isEqualTo(200);
            served.query("CREATE TABLE t (a)");
            HttpResponse<String> write = served.run(CLIENT, "INSERT INTO t VALUES (hex(zeroblob(100000))) RETURNING a");
            assertThat(write.statusCode())
                    .as("a committed write is never told to be sent again")
                    .isEqualTo(200);
            for (RawHttp raw : slow) raw.close();
        }
    }

    @Test
    void callers_endless_reads_leave_the_last_reader_to_perigee() throws Exception {
        Duration longer = Duration.ofMinutes(10); // than the test takes on the busiest machine
        try (ServedStore served = new ServedStore(directory, queries(longer, longer, 1000))) {
            String body = ServedStore.statement(ENDLESS);
            String request = "POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: client-token\r\n"
                    + "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
            List<RawHttp> callers = new ArrayList<>();
            for (int i = 0; i < served.store.callerReaders() + 2; i++) {
                RawHttp raw = new RawHttp(served.server.port());
                callers.add(raw);
                raw.send(request);
            }
            // Each of them is a process that has to start. A busy machine may take longer for it than a statement
            // waits: whoever was answered asks again.
            Awaitility.await().atMost(Duration.ofMinutes(5)).until(() -> {
                for (int i = 0; i < callers.size(); i++) {
                    if (callers.get(i).socket.getInputStream().available() == 0) continue;
                    callers.get(i).close();
                    callers.set(i, new RawHttp(served.server.port()).send(request));
                }
                return served.workers().stats().busy() == served.store.callerReaders();
            });
            assertThat(served.getAsNobody("/readyz").statusCode()).isEqualTo(200);
            assertThat(served.get("/status/database", ADMIN).statusCode()).isEqualTo(200);
            HttpResponse<String> oneMore = served.run(CLIENT, "SELECT 1");
            assertThat(oneMore.statusCode()).as(oneMore.body()).isEqualTo(503);
            assertThat(oneMore.body()).contains("worker process");
            for (RawHttp raw : callers) raw.close();
            Awaitility.await().until(() -> served.run(CLIENT, "SELECT 1").statusCode() == 200);
        }
    }

    @Test
    void a_body_in_two_languages_is_one_request() throws Exception {
        // What a proxy in front of us might take for a second request is not one.
        String smuggled = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: admin-token\r\n\r\n";
        String answer = RawHttp.exchange(
                usual.server.port(),
                "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + smuggled.length()
                        + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled);
        assertThat(answer).doesNotContain("perigee_http");
    }

    @Test
    void a_request_without_authority_is_not_kept() {
        HttpResponse<String> answer = usual.send(HttpRequest.newBuilder(usual.uri("/query"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("x".repeat(500_000)))
                .build());
        assertThat(answer.statusCode()).isEqualTo(401);
    }
}
