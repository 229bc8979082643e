package dev.perigee.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.bundled.socket.SocketPlugin;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.SurfaceConfig;
import dev.perigee.testing.Contract;
import dev.perigee.testing.RawHttp;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import dev.perigee.testing.SocketClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `/socket` as a client has it.
class SocketTest {
    private static final String ENDLESS =
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    @TempDir
    Path directory;

    private ServedStore served;

    @BeforeEach
    void open() {
        served = new ServedStore(directory, Setup.standard().plugins(new SocketPlugin()));
        served.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    }

    @AfterEach
    void close() {
        served.close();
    }

    private SocketClient connect() {
        return SocketClient.connect(served.server.port(), "/socket", ServedStore.CLIENT);
    }

    @Test
    @Contract("Kept: a WebSocket may carry its token as ?token= or in the header")
    void the_token_comes_in_the_header_or_the_query_string() {
        int port = served.server.port();
        try (SocketClient header = connect();
                SocketClient query = SocketClient.connect(port, "/socket?token=" + ServedStore.CLIENT, (String) null)) {
            assertThat(header.ask("{\"sql\":\"SELECT 1 AS a\",\"action\":\"query\"}"))
                    .isEqualTo("[{\"a\":1}]");
            assertThat(query.ask("{\"sql\":\"SELECT 2 AS a\",\"action\":\"query\"}"))
                    .isEqualTo("[{\"a\":2}]");
        }
        for (String path : List.of("/socket", "/socket?token=", "/socket?token=wrong")) {
            assertThatThrownBy(() -> SocketClient.connect(port, path, (String) null))
                    .rootCause()
                    .hasMessageContaining("status code 401");
        }
        // Elsewhere a token in an address, which proxies write into their logs, is none.
        assertThat(served.getAsNobody("/status/database?token=" + ServedStore.ADMIN)
                        .statusCode())
                .isEqualTo(401);
        assertThat(served.getAsNobody("/_internal/stats?token=" + ServedStore.ADMIN)
                        .statusCode())
                .isEqualTo(401);
    }

    @Test
    @Contract("Kept: /socket takes {sql, params, action} and answers the rows")
    void frames_without_an_id_get_the_bare_rows_in_order() {
        try (SocketClient client = connect()) {
            client.send(
                    "{\"sql\":\"INSERT INTO t VALUES (?, ?) RETURNING id\",\"params\":[1, \"a\"],\"action\":\"query\"}");
            for (int i = 0; i < 100; i++) {
                client.send("{\"sql\":\"SELECT v, $1 AS i FROM t WHERE id = 1\",\"params\":[%d]}".formatted(i));
            }
            assertThat(client.next()).isEqualTo("[{\"id\":1}]");
            for (int i = 0; i < 100; i++) assertThat(client.next()).isEqualTo("[{\"v\":\"a\",\"i\":%d}]".formatted(i));
        }
    }

    @Test
    @Contract("Different: a socket frame with an id gets {id, result} or {id, error}")
    void frames_with_an_id_are_answered_by_it_whatever_their_order() {
        try (SocketClient client = connect()) {
            client.send("{\"id\":\"endless\",\"sql\":\"%s\"}".formatted(ENDLESS));
            List<String> got = new ArrayList<>(List.of(
                    answer(client, "{\"id\":7,\"sql\":\"SELECT 1 AS a\"}"),
                    answer(client, "{\"id\":\"x\\\"y\",\"sql\":\"SELECT nothing\"}")));
            assertThat(got).contains("{\"id\":7,\"result\":[{\"a\":1}]}");
            got.removeIf(frame -> !frame.contains("error"));
            assertThat(got)
                    .singleElement()
                    .asString()
                    .startsWith("{\"id\":\"x\\\"y\",\"error\":\"")
                    .contains("nothing");
            assertThat(client.ask("{\"id\":1,\"raw\":true,\"sql\":\"SELECT 1 AS a\"}"))
                    .isEqualTo(
                            "{\"id\":1,\"result\":{\"columns\":[\"a\"],\"rows\":[[1]],\"meta\":{\"rows_read\":1,\"rows_written\":0}}}");
        }
    }

    @Test
    @Contract("Different: a bad socket frame is answered, and the socket lives")
    void a_bad_frame_is_answered_and_the_next_is_served() {
        try (SocketClient client = connect()) {
            for (String bad : List.of(
                    "",
                    "{",
                    "[]",
                    "nonsense",
                    "{\"sql\":5}",
                    "{\"sql\":\"SELECT 1\",\"action\":\"dance\"}",
                    "{\"id\":[1],\"sql\":\"SELECT 1\"}",
                    "{\"sql\":\"SELECT 1\",\"params\":3}",
                    "{\"sql\":\"SELECT * FROM tmp_alarms\"}",
                    "{\"sql\":\"SELECT 1\",\"source\":\"external\"}",
                    "{\"sql\":\"SELECT 1; SELECT 2\"}")) {
                assertThat(client.ask(bad)).as(bad).startsWith("{\"error\":\"");
            }
            assertThat(client.ask("{\"id\":9,\"sql\":\"SELEC 1\"}")).startsWith("{\"id\":9,\"error\":");
            assertThat(client.ask("{\"sql\":\"SELECT 1 AS a\"}")).isEqualTo("[{\"a\":1}]");
        }
    }

    @Test
    void a_transaction_is_whole_or_nothing() {
        try (SocketClient client = connect()) {
            assertThat(client.ask("""
                    {"id":1,"transaction":[{"sql":"INSERT INTO t VALUES (1, 1)"},{"sql":"INSERT INTO t VALUES (1, 2)"}]}""")).contains("error", "Statement 2 of 2");
            assertThat(client.ask("""
                    {"id":2,"transaction":[{"sql":"INSERT INTO t VALUES (1, 1)"},{"sql":"SELECT * FROM t"}]}""")).isEqualTo("{\"id\":2,\"result\":[[],[{\"id\":1,\"v\":1}]]}");
        }
    }

    @Test
    void many_frames_under_way_are_all_answered_once() {
        try (SocketClient client = connect()) {
            Set<String> expected = new HashSet<>();
            for (int i = 0; i < 500; i++) {
                client.send("{\"id\":%d,\"sql\":\"INSERT INTO t VALUES (%d, 1) RETURNING id\"}".formatted(i, i));
                expected.add("{\"id\":%d,\"result\":[{\"id\":%d}]}".formatted(i, i));
            }
            Set<String> got = new HashSet<>();
            for (int i = 0; i < 500; i++) got.add(client.next());
            assertThat(got).isEqualTo(expected);
        }
    }

    @Test
    void a_client_that_leaves_frees_the_reader_its_statement_holds() throws Exception {
        try (SocketClient client = connect()) {
            client.send("{\"id\":1,\"sql\":\"%s\"}".formatted(ENDLESS));
            await(() -> served.workers().stats().busy() == 1);
        }
        await(() -> served.workers().stats().busy() == 0);
    }

    @Test
    void an_answer_too_large_for_a_frame_is_refused_with_the_remedy() {
        try (SocketClient client = connect()) {
            assertThat(client.ask("{\"id\":1,\"sql\":\"SELECT zeroblob(5000000) AS b\"}"))
                    .contains("\"id\":1,\"error\"", "LIMIT");
            assertThat(client.ask("{\"id\":2,\"sql\":\"SELECT hex(zeroblob(1000000)) AS b\"}"))
                    .hasSizeGreaterThan(2_000_000)
                    .startsWith("{\"id\":2,\"result\":[{\"b\":\"0000");
        }
    }

    @Test
    void a_frame_too_large_or_binary_closes_the_socket_with_its_code() throws Exception {
        try (SocketClient client = connect()) {
            client.send("{\"sql\":\"SELECT '%s'\"}".formatted("x".repeat(Sockets.MAX_FRAME_BYTES)));
            assertThat(client.closeCode()).isEqualTo(1009);
        }
        try (SocketClient client = connect()) {
            client.sendBinary("{\"sql\":\"SELECT 1\"}".getBytes(StandardCharsets.UTF_8));
            assertThat(client.closeCode()).isEqualTo(1003);
        }
    }

    @Test
    void an_admins_frames_are_in_the_audit_log_and_a_clients_are_not() throws Exception {
        served.close();
        SurfaceConfig audited = new SurfaceConfig(List.of(), 1000, 60, false, Optional.empty(), true);
        served = new ServedStore(
                directory,
                Setup.standard().serve(config -> config.with(audited)).plugins(new SocketPlugin()));
        try (SocketClient admin = SocketClient.connect(served.server.port(), "/socket", ServedStore.ADMIN);
                SocketClient client = connect()) {
            admin.ask("{\"sql\":\"INSERT INTO t VALUES (1, 'a secret value')\"}");
            admin.ask("{\"sql\":\"SELECT 1\"}");
            client.ask("{\"sql\":\"SELECT 1\"}");
            String frames = Awaitility.await()
                    .until(
                            () -> served.query("SELECT path, status, address FROM tmp_audit_log WHERE method = 'FRAME'")
                                    .get("result")
                                    .toString(),
                            rows -> rows.contains("},{"));
            String one = "{\"path\":\"/socket\",\"status\":101,\"address\":\"127.0.0.1\"}";
            assertThat(frames).isEqualTo("[%s,%s]".formatted(one, one));
        }
    }

    @Test
    void a_plain_request_is_told_to_upgrade() {
        var answer = served.get("/socket", ServedStore.CLIENT);
        assertThat(answer.statusCode()).isEqualTo(426);
        assertThat(answer.headers().firstValue("Upgrade")).contains("websocket");
        assertThat(answer.body()).contains("ws://");
        assertThat(served.query("SELECT 1 AS a").toString()).contains("1");
    }

    @Test
    void pings_are_answered_and_metrics_count_sockets() throws Exception {
        try (SocketClient client = connect()) {
            client.ping();
            assertThat(client.ask("{\"sql\":\"SELECT 1 AS a\"}")).isEqualTo("[{\"a\":1}]");
            assertThat(sockets()).isEqualTo(1);
        }
        await(() -> sockets() == 0);
    }

    @Test
    void more_sockets_than_there_are_places_are_told_503_and_places_come_back() throws Exception {
        List<SocketClient> clients = new ArrayList<>();
        served.close();
        served = new ServedStore(
                directory,
                Setup.standard()
                        .serve(c -> c.with(new ServeConfig.Limits(
                                c.limits().maxBodyBytes(),
                                1000,
                                c.limits().requestTimeout(),
                                c.limits().shutdownGrace())))
                        .plugins(new SocketPlugin()));
        try {
            for (int i = 0; i < Sockets.MAX_SOCKETS; i++) clients.add(connect());
            assertThatThrownBy(this::connect).rootCause().hasMessageContaining("status code 503");
            clients.removeFirst().close();
            await(() -> sockets() < Sockets.MAX_SOCKETS);
            clients.add(connect());
            assertThat(clients.getLast().ask("{\"sql\":\"SELECT 1 AS a\"}")).isEqualTo("[{\"a\":1}]");
        } finally {
            clients.forEach(SocketClient::close);
        }
    }

    @Test
    void handshakes_that_fail_keep_no_place() throws Exception {
        String[] wrong = {
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        };
        for (int i = 0; i < Sockets.MAX_SOCKETS + 10; i++) {
            String answer = RawHttp.exchange(
                    served.server.port(),
                    "GET /socket HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n%sConnection: close\r\n\r\n"
                            .formatted(ServedStore.CLIENT, wrong[i % wrong.length]));
            assertThat(answer).doesNotStartWith("HTTP/1.1 101").doesNotStartWith("HTTP/1.1 5");
        }
        assertThat(sockets()).isZero();
        try (SocketClient client = connect()) {
            assertThat(client.ask("{\"sql\":\"SELECT 1 AS a\"}")).isEqualTo("[{\"a\":1}]");
        }
    }

    @Test
    void a_server_that_stops_closes_its_sockets_with_1001_after_what_runs() throws Exception {
        try (SocketClient client = connect()) {
            client.send("{\"id\":1,\"sql\":\"%s\"}".formatted(ENDLESS.replace("FROM n)", "FROM n LIMIT 3000000)")));
            await(() -> served.workers().stats().busy() == 1);
            served.server.close();
            assertThat(client.next()).isEqualTo("{\"id\":1,\"result\":[{\"count(*)\":3000000}]}");
            assertThat(client.closeCode()).isEqualTo(1001);
        }
    }

    @Test
    void a_page_of_another_origin_opens_no_socket_once_origins_are_narrowed() {
        served.close();
        served = new ServedStore(
                directory,
                Setup.standard()
                        .serve(c -> c.withOrigins(List.of("https://app.example.com")))
                        .plugins(new SocketPlugin()));
        int port = served.server.port();
        String path = "/socket?token=" + ServedStore.CLIENT;
        SocketClient.connect(port, path, b -> b.header("Origin", "https://app.example.com"))
                .close();
        assertThatThrownBy(() -> SocketClient.connect(port, path, b -> b.header("Origin", "https://evil.example.com")))
                .rootCause()
                .hasMessageContaining("status code 403");
    }

    /// Asks again where no worker was there in time: a busy machine may take longer to start one than a statement
    /// waits.
    private static String answer(SocketClient client, String frame) {
        return Awaitility.await().until(() -> client.ask(frame), answer -> !answer.contains("\"BUSY in "));
    }

    private int sockets() {
        Matcher found = Pattern.compile("perigee_sockets (\\d+)")
                .matcher(served.get("/metrics", ServedStore.ADMIN).body());
        return found.find() ? Integer.parseInt(found.group(1)) : -1;
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().until(condition);
    }
}
