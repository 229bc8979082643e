package dev.perigee.serve;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static dev.perigee.testing.ServedStore.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.Greeter;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.testing.Contract;
import dev.perigee.testing.HandSource;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `/healthz`, `/readyz`, `/status/database`, `/_internal/stats`, `/metrics`.
class StatusTest {
    @TempDir
    Path directory;

    @Test
    void health_and_readiness_are_for_anybody() {
        try (ServedStore served = new ServedStore(directory)) {
            assertThat(served.getAsNobody("/healthz").body()).isEqualTo("{\"result\":{\"status\":\"ok\"}}");
            JsonNode ready = json(served.getAsNobody("/readyz")).at("/result");
            assertThat(ready.at("/status").asString()).isEqualTo("ready");
            assertThat(ready.at("/source").asString()).isEqualTo("none");
        }
    }

    @Test
    void head_is_get_without_the_body() {
        try (ServedStore served = new ServedStore(directory)) {
            HttpResponse<String> head = served.send(served.request("/healthz", CLIENT)
                    .method("HEAD", BodyPublishers.noBody())
                    .build());
            assertThat(head.statusCode()).isEqualTo(200);
            assertThat(head.body()).isEmpty();
            assertThat(head.headers().firstValue("Content-Length"))
                    .isEqualTo(served.getAsNobody("/healthz").headers().firstValue("Content-Length"));
        }
    }

    @Test
    @Contract("Kept: GET /status/database")
    void the_database_status_has_the_replica_s_sizes_and_the_source_s_state() {
        try (ServedStore served = new ServedStore(directory)) {
            served.query("CREATE TABLE t (a)");
            JsonNode status = json(served.get("/status/database", CLIENT)).at("/result");
            assertThat(status.at("/internal/status").asString()).isEqualTo("ok");
            assertThat(status.at("/internal/sqliteVersion").asString()).startsWith("3.");
            assertThat(status.at("/internal/walBytes").asLong()).isPositive();
            assertThat(status.at("/external/status").asString()).isEqualTo("none");
        }
    }

    @Test
    void a_source_that_fails_is_in_the_status_with_its_fault_and_its_address_is_for_admins() {
        HandSource source = new HandSource();
        source.failure = Fault.SOURCE_UNREACHABLE.in("source db.internal:5432", "refused", "Nothing was read");
        try (ServedStore served = new ServedStore(directory, Setup.standard().source(source))) {
            JsonNode forAdmin = json(served.get("/status/database", ADMIN)).at("/result/external");
            assertThat(forAdmin.at("/status").asString()).isEqualTo("failing");
            assertThat(forAdmin.at("/fault").asString()).isEqualTo("SOURCE_UNREACHABLE");
            assertThat(forAdmin.at("/error").asString()).contains("db.internal");
            assertThat(forAdmin.at("/remedy").asString()).isNotBlank();
            HttpResponse<String> forClient = served.get("/status/database", CLIENT);
            assertThat(forClient.body()).contains("SOURCE_UNREACHABLE").doesNotContain("db.internal");
            JsonNode ready = json(served.getAsNobody("/readyz"));
            assertThat(ready).hasToString("{\"result\":{\"status\":\"ready\",\"source\":\"failing\"}}");
        }
    }

    @Test
    @Contract("Kept: GET /_internal/stats has databaseSize, activeConnections, recentQueries, plugins")
    void the_statistics_count_statements_and_name_the_plugins_in_their_order() {
        Setup setup = Setup.standard()
                .plugins(new StarbasePlugin("second", true, "") {}, new StarbasePlugin("first", true, "/first") {});
        try (ServedStore served = new ServedStore(directory, setup)) {
            served.query("SELECT 1");
            served.post("/query", CLIENT, "{\"transaction\":[{\"sql\":\"SELECT 1\"},{\"sql\":\"SELECT 2\"}]}");
            served.run(CLIENT, "SELECT nothing");
            JsonNode stats = json(served.get("/_internal/stats", ADMIN)).at("/result");
            assertThat(stats.at("/recentQueries").asInt()).isEqualTo(4);
            assertThat(stats.at("/activeConnections").asInt()).isPositive();
            assertThat(stats.at("/databaseSize").asLong()).isPositive();
            assertThat(stats.at("/plugins")).hasToString("[\"second\",\"first\"]");
        }
    }

    @Test
    void metrics_are_prometheus_text_labelled_by_pattern_and_without_secrets() {
        Setup setup = Setup.standard().plugins(new Greeter());
        try (ServedStore served = new ServedStore(directory, setup)) {
            served.query("SELECT 1");
            served.run(CLIENT, "SELECT nothing");
            served.get("/hello/ann", CLIENT);
            served.get("/nowhere/at/all", CLIENT);
            // A request is counted after its answer was sent, so the client may be ahead of the count.
            Awaitility.await()
                    .until(() -> served.get("/metrics", ADMIN).body(), metrics -> metrics.contains("route=\"other\""));
            HttpResponse<String> answer = served.get("/metrics", ADMIN);
            assertThat(answer.headers().firstValue("Content-Type").orElse("")).startsWith("text/plain");
            assertThat(answer.body())
                    .contains("perigee_http_requests_total{method=\"POST\",route=\"/query\",status=\"200\"} 1.0")
                    .contains("perigee_http_requests_total{method=\"POST\",route=\"/query\",status=\"400\"} 1.0")
                    .contains("route=\"/hello/:name\",status=\"200\"")
                    .contains("route=\"other\",status=\"404\"")
                    .contains("perigee_statements_total{outcome=\"failed\",where=\"internal\"} 1.0")
                    .contains("perigee_store_database_bytes", "jvm_memory", "perigee_http_request_seconds_bucket")
                    .doesNotContain("ann", ADMIN, CLIENT, "nowhere/at/all");
        }
    }
}
