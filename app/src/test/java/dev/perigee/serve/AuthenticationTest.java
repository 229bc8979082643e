package dev.perigee.serve;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.testing.Contract;
import dev.perigee.testing.RawHttp;
import dev.perigee.testing.ServedStore;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Who is asking, by token.
class AuthenticationTest {
    private static final String ONE = "{\"sql\":\"SELECT 1 AS a\"}";

    @TempDir
    static Path directory;

    static ServedStore served;

    @BeforeAll
    static void open() {
        served = new ServedStore(directory);
    }

    @AfterAll
    static void close() {
        served.close();
    }

    private static HttpResponse<String> queryWith(String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(served.uri("/query"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(ONE));
        if (headers.length > 0) request.headers(headers);
        return served.send(request.build());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer admin-token", "admin-token", "bearer admin-token", "Bearer  client-token "})
    @Contract("Kept: the token is in Authorization, with or without the word Bearer")
    void both_tokens_are_known_and_the_word_bearer_may_be_missing(String header) {
        assertThat(queryWith("Authorization", header).statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "Bearer",
                "Bearer ",
                "Bearer admin-toke",
                "Bearer admin-token2",
                "Bearer ADMIN-TOKEN",
                "Bearer admin-token,client-token",
                "Basic YWRtaW46YWRtaW4tdG9rZW4=",
                "Bearer a.b.c",
            })
    void other_tokens_are_401_with_the_way_to_do_it_and_no_secret(String header) {
        HttpResponse<String> answer = queryWith("Authorization", header);
        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
        assertThat(answer.headers().firstValue("Access-Control-Allow-Origin")).hasValue("*");
        assertThat(answer.body()).startsWith("{\"error\":\"Unauthorized").doesNotContain(ADMIN, CLIENT, "admin-toke");
    }

    @Test
    @Contract("Kept: no token is 401")
    void without_a_header_it_is_401() {
        assertThat(queryWith().statusCode()).isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/query?token=admin-token", "/query?access_token=admin-token", "/query?Authorization=admin-token"
            })
    void a_token_in_the_url_is_no_token(String path) {
        HttpResponse<String> answer = served.send(HttpRequest.newBuilder(served.uri(path))
                .header("Content-Type", "application/json")
                .header("Cookie", "token=admin-token; Authorization=admin-token")
                .header("X-Authorization", "Bearer admin-token")
                .POST(BodyPublishers.ofString(ONE))
                .build());
        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.body()).doesNotContain(ADMIN);
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /status/database, 401, 200, 200",
        "GET, /_internal/stats, 401, 403, 200",
        "GET, /metrics, 401, 403, 200",
        "GET, /healthz, 200, 200, 200",
        "GET, /readyz, 200, 200, 200",
        "GET, /, 200, 200, 200",
        "POST, /query, 401, 400, 400",
        "POST, /query/raw, 401, 400, 400",
    })
    @Contract("Different: statuses are 400, 401, 403, 404, 409, 413, 429, 503, 504")
    void each_endpoint_has_its_least_role(String method, String path, int nobody, int client, int admin) {
        HttpRequest.BodyPublisher body = BodyPublishers.noBody();
        assertThat(served.send(HttpRequest.newBuilder(served.uri(path))
                                .method(method, body)
                                .build())
                        .statusCode())
                .isEqualTo(nobody);
        assertThat(served.send(served.request(path, CLIENT).method(method, body).build())
                        .statusCode())
                .isEqualTo(client);
        assertThat(served.send(served.request(path, ADMIN).method(method, body).build())
                        .statusCode())
                .isEqualTo(admin);
    }

    @Test
    void a_wrong_token_does_not_close_what_is_open_to_anybody() {
        assertThat(served.get("/healthz", "wrong").statusCode()).isEqualTo(200);
    }

    @Test
    void without_a_client_token_an_empty_one_is_nobody(@TempDir Path other) {
        ServedStore.Setup setup =
                ServedStore.Setup.standard().serve(c -> ServedStore.with(c, Optional.empty(), Optional.empty()));
        try (ServedStore adminOnly = new ServedStore(other, setup)) {
            assertThat(adminOnly.run(CLIENT, "SELECT 1").statusCode()).isEqualTo(401);
            assertThat(adminOnly.run("", "SELECT 1").statusCode()).isEqualTo(401);
            assertThat(adminOnly.run(ADMIN, "SELECT 1").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void tokens_that_differ_in_case_are_two_tokens_also_on_one_connection() throws Exception {
        try (RawHttp raw = new RawHttp(served.server.port())) {
            String request = "HEAD /status/database HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n";
            for (int i = 0; i < 3; i++) {
                assertThat(raw.send(request.formatted("ADMIN-TOKEN")).head()).startsWith("HTTP/1.1 401");
                assertThat(raw.send(request.formatted("admin-token")).head()).startsWith("HTTP/1.1 200");
            }
        }
    }

    @Test
    void two_authorization_headers_give_no_more_than_the_first() throws Exception {
        String answer = RawHttp.exchange(served.server.port(), """
                GET /metrics HTTP/1.1\r
                Host: localhost\r
                Authorization: Bearer client-token\r
                Authorization: Bearer admin-token\r
                Connection: close\r
                \r
                """);
        assertThat(answer).startsWith("HTTP/1.1 403");
    }
}
