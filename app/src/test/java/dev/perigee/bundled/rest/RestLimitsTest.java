package dev.perigee.bundled.rest;

import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.QueryConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.testing.Contract;
import dev.perigee.testing.RawHttp;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `/rest` has the limits that `/query` has.
class RestLimitsTest {
    private static final String ROWS =
            "INSERT INTO t (v) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                    + " WHERE i < 400000) SELECT hex(zeroblob(50)) FROM n";

    @TempDir
    Path directory;

    private static String request(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: client-token\r\n\r\n";
    }

    private static void fill(ServedStore served) {
        served.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
        served.query(ROWS);
    }

    @Test
    @Contract("Different: limits have names and defaults")
    void slow_clients_leave_a_reader_to_others_and_a_committed_write_is_never_refused_for_them() throws Exception {
        try (ServedStore served = new ServedStore(directory, Setup.standard().plugins(new RestPlugin()))) {
            fill(served);
            int large = served.store.callerReaders() - 1;
            RawHttp[] slow = new RawHttp[large];
            for (int i = 0; i < large; i++) {
                slow[i] = new RawHttp(served.server.port());
                assertThat(slow[i].send(request("/rest/t")).head()).startsWith("HTTP/1.1 200");
            }
            assertThat(served.get("/rest/t", CLIENT).statusCode()).isEqualTo(503);
            assertThat(served.get("/rest/t?limit=5", CLIENT).statusCode()).isEqualTo(200);
            HttpResponse<String> write = served.post("/rest/t", CLIENT, "{\"v\":\"" + "x".repeat(200_000) + "\"}");
            assertThat(write.statusCode()).isEqualTo(201);
            assertThat(write.body()).hasSizeGreaterThan(200_000);
            for (RawHttp raw : slow) raw.close();
        }
    }

    @Test
    void a_client_that_takes_an_answer_too_slowly_is_ended_with_the_time_limit_of_requests() throws Exception {
        Setup setup = Setup.standard()
                .plugins(new RestPlugin())
                .serve(c -> c.with(new ServeConfig.Limits(
                        c.limits().maxBodyBytes(),
                        64,
                        Duration.ofSeconds(5),
                        c.limits().shutdownGrace())));
        try (ServedStore served = new ServedStore(directory, setup);
                RawHttp slow = new RawHttp(served.server.port())) {
            fill(served);
            served.awaitWorker(); // on a busy machine its start takes longer than a request may
            assertThat(slow.send(request("/rest/t")).head()).startsWith("HTTP/1.1 200");
            // The connection is closed under the answer; what is in its buffers may still come.
            await().until(() -> served.workers().stats().busy() == 0);
        }
    }

    @Test
    void rows_and_bodies_are_bounded_by_the_settings() {
        QueryConfig query = new QueryConfig(Duration.ofSeconds(5), Duration.ofSeconds(5), 100_000, 10, 3, 256L << 20);
        Setup setup = Setup.standard()
                .plugins(new RestPlugin())
                .query(query)
                .serve(c -> c.with(new ServeConfig.Limits(
                        1000, 64, c.limits().requestTimeout(), c.limits().shutdownGrace())));
        try (ServedStore served = new ServedStore(directory, setup)) {
            served.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
            served.query(
                    "INSERT INTO t (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11)"
                            + " SELECT i FROM n");
            assertThat(served.get("/rest/t", CLIENT).statusCode()).isEqualTo(413);
            assertThat(served.get("/rest/t?limit=10", CLIENT).statusCode()).isEqualTo(200);
            HttpResponse<String> large = served.send(served.request("/rest/t", CLIENT)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString("{\"v\":\"" + "x".repeat(1000) + "\"}"))
                    .build());
            assertThat(large.statusCode()).isEqualTo(413);
            // More rows than a transaction has statements.
            assertThat(served.post("/rest/t", CLIENT, "[{\"v\":1},{\"v\":2},{\"v\":3},{\"v\":4}]")
                            .statusCode())
                    .isEqualTo(413);
            assertThat(served.query("SELECT count(*) AS n FROM t")
                            .at("/result/0/n")
                            .asInt())
                    .isEqualTo(11);
        }
    }

    @Test
    void a_body_of_countless_tiny_values_is_refused_before_it_takes_the_heap() {
        long heap = Runtime.getRuntime().maxMemory();
        // Each value of three characters takes far more as a node.
        int values = (int) Math.min(20_000_000, heap / 4 / 200 + 1000);
        Setup setup = Setup.standard()
                .plugins(new RestPlugin())
                .serve(c -> c.with(new ServeConfig.Limits(
                        64L << 20, 64, c.limits().requestTimeout(), c.limits().shutdownGrace())));
        try (ServedStore served = new ServedStore(directory, setup)) {
            served.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
            HttpResponse<String> answer = served.post("/rest/t", CLIENT, "[" + "[],".repeat(values) + "1]");
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
            assertThat(answer.body()).contains("bytes of memory");
            assertThat(served.post("/rest/t", CLIENT, "{\"v\":1}").statusCode()).isEqualTo(201);
        }
    }
}
