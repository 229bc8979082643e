package dev.perigee.serve;

import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.testing.Contract;
import dev.perigee.testing.RawHttp;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Pages of other origins.
class CorsTest {
    private static final String APP = "https://app.example.com";

    @TempDir
    Path directory;

    private static HttpHeaders headersFor(ServedStore served, String method, String path, String origin) {
        return served.send(HttpRequest.newBuilder(served.uri(path))
                        .header("Origin", origin)
                        .method(method, BodyPublishers.noBody())
                        .build())
                .headers();
    }

    @Test
    @Contract("Kept: CORS headers are on every answer, and OPTIONS is 204 on any path")
    void a_preflight_is_204_for_any_path_without_a_token() {
        try (ServedStore served = new ServedStore(directory)) {
            HttpResponse<String> answer = served.send(HttpRequest.newBuilder(served.uri("/query"))
                    .method("OPTIONS", BodyPublishers.noBody())
                    .build());
            assertThat(answer.statusCode()).isEqualTo(204);
            assertThat(answer.headers().firstValue("Access-Control-Allow-Origin"))
                    .hasValue("*");
            assertThat(answer.headers().firstValue("Access-Control-Allow-Methods"))
                    .hasValue("GET, POST, PATCH, PUT, DELETE, OPTIONS");
            assertThat(answer.headers().firstValue("Access-Control-Allow-Headers"))
                    .hasValue(
                            "Authorization, Content-Type, X-Starbase-Source, X-Data-Source, X-Starbase-Cache, X-Perigee-Max-Staleness, X-Perigee-After, X-Perigee-Wait, X-Perigee-If-Stale, If-None-Match");
            assertThat(answer.headers().firstValue("Access-Control-Max-Age")).hasValue("86400");
        }
    }

    @Test
    @Contract("Kept: CORS headers are on every answer, and OPTIONS is 204 on any path")
    void every_answer_has_them_errors_too() throws Exception {
        try (ServedStore served = new ServedStore(directory)) {
            for (String path : List.of("/query", "/nowhere", "/healthz", "/metrics", "/")) {
                assertThat(headersFor(served, "GET", path, APP).firstValue("Access-Control-Allow-Origin"))
                        .as(path)
                        .hasValue("*");
            }
            assertThat(served.run(CLIENT, "nonsense").headers().firstValue("Access-Control-Allow-Origin"))
                    .hasValue("*");
            assertThat(RawHttp.exchange(served.server.port(), "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n"))
                    .contains("400 Bad Request", "Access-Control-Allow-Origin: *", "{\"error\":");
        }
    }

    @Test
    @Contract("Kept: allowed origins can be narrowed")
    void named_origins_are_answered_and_others_are_not() {
        Setup setup = Setup.standard().serve(c -> c.withOrigins(List.of("https://other.example.com", APP)));
        try (ServedStore served = new ServedStore(directory, setup)) {
            HttpHeaders known = headersFor(served, "OPTIONS", "/query", APP);
            assertThat(known.firstValue("Access-Control-Allow-Origin")).hasValue(APP);
            assertThat(known.firstValue("Vary")).hasValue("Origin");
            for (String origin :
                    List.of("https://evil.example.com", APP + ".evil.com", "http://app.example.com", "null")) {
                HttpHeaders headers = headersFor(served, "OPTIONS", "/query", origin);
                assertThat(headers.firstValue("Access-Control-Allow-Origin")).isEmpty();
                assertThat(headers.firstValue("Access-Control-Allow-Headers")).isEmpty();
                assertThat(headers.firstValue("Vary")).hasValue("Origin");
            }
        }
    }
}
