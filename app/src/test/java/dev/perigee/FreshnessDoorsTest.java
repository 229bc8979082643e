package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.plugin.Json;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.FreshnessDemand;
import dev.perigee.statement.Query;
import dev.perigee.statement.SqlStatement;
import dev.perigee.statement.StatementCall.Where;
import dev.perigee.testing.SocketClient;
import dev.perigee.testing.TestPostgres;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Freshness by the other doors: a browser's cookie, the WebSocket and the Java interface.
class FreshnessDoorsTest {
    private static final String TOKEN = "admin-token";

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();
    private TestPostgres postgres;
    private Perigee perigee;

    @BeforeEach
    void start() throws Exception {
        postgres = TestPostgres.create();
        postgres.execute("""
                CREATE TABLE notes (id int PRIMARY KEY, text text, at timestamptz NOT NULL DEFAULT now());
                INSERT INTO notes VALUES (1, 'old')""");
        perigee = Perigee.open(new PerigeeConfig(
                StoreConfig.of(folder),
                ServeConfig.of(0, TOKEN).withFreshnessCookie(true),
                QueryConfig.defaults(),
                Optional.of(postgres.config()),
                ReplicationConfig.defaults()));
        send("/replication/tables", "{\"name\": \"notes\", \"cursorColumn\": \"at\", \"interval\": \"1h\"}");
        send("/replication/sync", "{}");
    }

    @AfterEach
    void stop() {
        http.close();
        perigee.close();
        postgres.close();
    }

    @Test
    void a_browser_reads_its_own_write_by_a_cookie_that_scripts_cannot_read() throws Exception {
        HttpResponse<String> written =
                query("UPDATE notes SET text = 'new', at = clock_timestamp()", "X-Starbase-Source", "external");
        String cookie = written.headers().firstValue("Set-Cookie").orElseThrow();
        assertThat(cookie).startsWith("perigee-after=x:").contains("HttpOnly", "SameSite=Lax");
        assertThat(query("SELECT text FROM notes", "Cookie", "a=b; " + cookie.split(";", 2)[0])
                        .body())
                .contains("new");
    }

    @Test
    void a_cookie_of_another_server_and_one_that_is_no_token_are_ignored() throws Exception {
        assertThat(query("SELECT text FROM notes", "Cookie", "perigee-after=x:12345:1")
                        .body())
                .contains("old");
        assertThat(query("SELECT text FROM notes", "Cookie", "perigee-after=nonsense")
                        .body())
                .contains("old");
    }

    @Test
    void a_page_of_another_origin_may_send_and_read_the_headers() throws Exception {
        HttpResponse<String> answer = query("SELECT text FROM notes", "X-Perigee-Max-Staleness", "0s");
        assertThat(answer.headers().firstValue("Access-Control-Expose-Headers").orElseThrow())
                .contains("X-Perigee-Position", "X-Perigee-Token", "Age");
        assertThat(answer.headers().firstValue("Access-Control-Allow-Headers").orElseThrow())
                .contains("X-Perigee-After");
    }

    @Test
    void frames_say_the_same_in_their_members() {
        try (SocketClient client = SocketClient.connect(perigee.port(), "/socket", TOKEN)) {
            client.send("""
                    {"id": 1, "source": "external", "sql": "UPDATE notes SET text = 'new', at = clock_timestamp()"}""");
            String token = frame(client).get("token").asString();
            client.send("""
                    {"id": 2, "sql": "SELECT text FROM notes", "after": "%s"}""".formatted(token));
            JsonNode fresh = frame(client);
            assertThat(fresh.get("result").toString()).isEqualTo("[{\"text\":\"new\"}]");
            assertThat(fresh.get("position").asString()).startsWith("p:");
            assertThat(fresh.has("asOf") && fresh.has("age") && fresh.has("guarantee"))
                    .isTrue();
            client.send("{\"id\": 3, \"sql\": \"SELECT text FROM notes\"}");
            assertThat(frame(client).propertyNames()).containsExactlyInAnyOrder("id", "result");
            client.send("""
                    {"id": 4, "sql": "SELECT text FROM notes", "after": "x:0:999999999", "wait": "100ms"}""");
            JsonNode refused = frame(client);
            assertThat(refused.get("tables").get(0).get("table").asString()).isEqualTo("notes");
            client.send("{\"id\": 5, \"sql\": \"SELECT 1\", \"after\": 7}");
            assertThat(frame(client).get("error").asString()).contains("after");
        }
    }

    @Test
    void a_java_program_says_the_same_in_its_query() {
        postgres.execute("UPDATE notes SET text = 'new', at = clock_timestamp()");
        FreshnessDemand demand = new FreshnessDemand(
                Optional.of(Duration.ZERO),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                FreshnessDemand.IfStale.WAIT);
        Query query = new Query(List.of(SqlStatement.of("SELECT text FROM notes")), Where.INTERNAL, false, Caller.ADMIN)
                .with(demand);
        Kept kept = new Kept();
        perigee.queries().run(query, kept, new Cancellation());
        assertThat(kept.rows).containsExactly(List.of(new Value.Text("new")));
        assertThat(kept.freshness.position()).startsWith("p:");
    }

    private static final class Kept implements AnswerSink {
        private final List<List<Value>> rows = new ArrayList<>();
        private AnswerFreshness freshness = new AnswerFreshness("", "", -1, "", 0);

        @Override
        public void columns(List<String> names) {}

        @Override
        public boolean row(List<Value> cells) {
            return rows.add(List.copyOf(cells));
        }

        @Override
        public void end(Meta meta) {}

        @Override
        public void fresh(AnswerFreshness found) {
            freshness = found;
        }
    }

    private static JsonNode frame(SocketClient client) {
        return Json.MAPPER.readTree(client.next());
    }

    private HttpResponse<String> query(String sql, String... header) throws Exception {
        return send("/query", Json.MAPPER.writeValueAsString(Map.of("sql", sql)), header);
    }

    private HttpResponse<String> send(String path, String body, String... header) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:%d%s".formatted(perigee.port(), path)))
                .timeout(Duration.ofSeconds(60))
                .header("Authorization", "Bearer " + TOKEN)
                .header("Content-Type", "application/json");
        if (header.length == 2) request.header(header[0], header[1]);
        return http.send(
                request.POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
    }
}
