package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.plugin.Json;
import dev.perigee.testing.TestPostgres;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Requests that say how fresh the copies must be that they read: over HTTP, with a real PostgreSQL. The tables are due
/// once an hour, so nothing is fresh unless a request asks for it.
class FreshnessTest {
    private static final String TOKEN_OF = """
            SELECT 'x:' || (SELECT system_identifier FROM pg_control_system()) || ':' || pg_current_xact_id()""";

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();
    private TestPostgres postgres;
    private ServedPerigee perigee;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        postgres.execute("""
                CREATE TABLE notes (id int PRIMARY KEY, text text, at timestamptz NOT NULL DEFAULT clock_timestamp());
                CREATE TABLE other (id int PRIMARY KEY, text text, at timestamptz NOT NULL DEFAULT clock_timestamp());
                INSERT INTO notes VALUES (1, 'old');
                INSERT INTO other VALUES (1, 'old')""");
        perigee = ServedPerigee.open(folder, postgres.config());
    }

    @AfterEach
    void stop() {
        http.close();
        perigee.close();
        postgres.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'cursorColumn': 'at'",
                "'mode': 'xmin'",
                "'mode': 'full'",
                "'cursorColumn': 'at', 'group': 'g'",
            })
    void a_read_after_a_write_sees_it_in_every_mode(String mode) {
        copy("notes", mode);
        String token = written("UPDATE notes SET text = 'new', at = clock_timestamp() WHERE id = 1");
        String read = "SELECT text FROM notes WHERE id = 1";
        assertThat(query(ServedPerigee.TOKEN, read).body()).contains("old");
        assertThat(query(ServedPerigee.TOKEN, read, "X-Perigee-After", token).body())
                .isEqualTo("{\"result\":[{\"text\":\"new\"}]}");
        assertThat(query(ServedPerigee.TOKEN, read).body()).contains("new");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            admin-token-of-the-test  | SELECT text FROM notes WHERE id = 1
            client-token-of-the-test | SELECT text FROM notes WHERE id = 1
            admin-token-of-the-test  | SELECT text FROM NOTES
            client-token-of-the-test | WITH n AS (SELECT * FROM notes) SELECT text FROM n
            admin-token-of-the-test  | SELECT text FROM seen
            client-token-of-the-test | SELECT text FROM seen
            client-token-of-the-test | INSERT INTO kept SELECT id, text FROM notes RETURNING text
            admin-token-of-the-test  | INSERT INTO kept SELECT id, text FROM notes RETURNING text""")
    void every_statement_that_reads_a_copy_waits_for_it(String caller, String sql) {
        copy("notes", "'cursorColumn': 'at'");
        perigee.query("CREATE TABLE kept (id int, text text)");
        perigee.query("CREATE VIEW seen AS SELECT id, text FROM notes");
        for (int i = 0; i < 4; i++) query(caller, "SELECT text FROM notes WHERE id = 1"); // a point read by then
        String token = written("UPDATE notes SET text = 'new', at = clock_timestamp()");
        HttpResponse<String> answer = query(caller, sql, "X-Perigee-After", token);
        assertThat(answer.body()).contains("new");
        assertThat(answer.headers().firstValue("X-Perigee-Guarantee")).isPresent();
    }

    @Test
    void a_statement_that_reads_no_row_of_a_copy_waits_for_it_too() {
        copy("notes", "'cursorColumn': 'at'");
        String token = written("INSERT INTO notes VALUES (2, 'new')");
        assertThat(query(ServedPerigee.TOKEN, "SELECT count(*) AS n FROM notes", "X-Perigee-After", token)
                        .body())
                .isEqualTo("{\"result\":[{\"n\":2}]}");
        token = written("DELETE FROM notes; INSERT INTO notes VALUES (3, 'new')");
        assertThat(query(
                                ServedPerigee.TOKEN,
                                "SELECT EXISTS (SELECT 1 FROM notes WHERE rowid = 3) AS n",
                                "X-Perigee-After",
                                token)
                        .body())
                .isEqualTo("{\"result\":[{\"n\":1}]}");
    }

    @ParameterizedTest
    @ValueSource(strings = {ServedPerigee.TOKEN, ServedPerigee.CLIENT_TOKEN})
    void a_transaction_waits_for_the_copies_of_all_its_statements(String caller) {
        copy("notes", "'cursorColumn': 'at'");
        copy("other", "'cursorColumn': 'at'");
        String token = written("UPDATE other SET text = 'new', at = clock_timestamp()");
        HttpResponse<String> answer = send(
                caller,
                "POST",
                "/query",
                "{\"transaction\":[{\"sql\":\"SELECT text FROM notes\"},{\"sql\":\"SELECT text FROM other\"}]}",
                "X-Perigee-After",
                token);
        assertThat(answer.body()).isEqualTo("{\"result\":[[{\"text\":\"old\"}],[{\"text\":\"new\"}]]}");
    }

    @Test
    void a_view_that_was_replaced_waits_for_the_table_that_it_reads_now() {
        copy("notes", "'cursorColumn': 'at'");
        copy("other", "'cursorColumn': 'at'");
        perigee.query("CREATE VIEW seen AS SELECT id, text FROM notes");
        String read = "SELECT text FROM seen";
        for (int i = 0; i < 3; i++) query(ServedPerigee.CLIENT_TOKEN, read);
        perigee.query("DROP VIEW seen");
        perigee.query("CREATE VIEW seen AS SELECT id, text FROM other");
        String token = written("UPDATE other SET text = 'new', at = clock_timestamp()");
        assertThat(query(ServedPerigee.CLIENT_TOKEN, read, "X-Perigee-After", token)
                        .body())
                .contains("new");
    }

    @Test
    void a_statement_that_reads_no_copy_is_not_held_up_and_says_nothing_of_freshness() {
        copy("notes", "'cursorColumn': 'at'");
        HttpResponse<String> answer = query(
                ServedPerigee.TOKEN, "SELECT 1 AS one", "X-Perigee-After", "x:0:999999999", "X-Perigee-Wait", "1h");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().map()).doesNotContainKeys("x-perigee-position", "age");
    }

    @Test
    void an_open_transaction_is_not_seen_until_it_ends_whichever_way() throws SQLException {
        copy("notes", "'cursorColumn': 'at'");
        try (Connection writer = postgres.connect();
                Statement statement = writer.createStatement()) {
            writer.setAutoCommit(false);
            statement.execute("INSERT INTO notes VALUES (2, 'new')");
            String token = token(statement);
            String read = "SELECT count(*) AS n FROM notes";
            HttpResponse<String> refused =
                    query(ServedPerigee.TOKEN, read, "X-Perigee-After", token, "X-Perigee-Wait", "300ms");
            assertThat(refused.statusCode()).isEqualTo(503);
            JsonNode body = Json.MAPPER.readTree(refused.body());
            assertThat(body.get("error").asString()).contains("notes", token);
            assertThat(body.get("tables").get(0).get("table").asString()).isEqualTo("notes");
            assertThat(body.get("tables").get(0).has("asOf")).isTrue();
            assertThat(body.get("tables").get(0).get("behind").asLong()).isNotNegative();
            assertThat(body.get("eta").asLong()).isPositive();
            assertThat(Long.parseLong(
                            refused.headers().firstValue("Retry-After").orElseThrow()))
                    .isPositive();
            CompletableFuture<HttpResponse<String>> waiting = CompletableFuture.supplyAsync(
                    () -> query(ServedPerigee.TOKEN, read, "X-Perigee-After", token, "X-Perigee-Wait", "50s"));
            writer.commit();
            assertThat(waiting.join().body()).isEqualTo("{\"result\":[{\"n\":2}]}");

            statement.execute("INSERT INTO notes VALUES (3, 'never')");
            String undone = token(statement);
            writer.rollback();
            assertThat(query(ServedPerigee.TOKEN, read, "X-Perigee-After", undone)
                            .body())
                    .isEqualTo("{\"result\":[{\"n\":2}]}");
        }
    }

    @Test
    void the_reader_chooses_what_happens_when_a_copy_is_too_old() {
        copy("notes", "'cursorColumn': 'at'");
        String token = written("UPDATE notes SET text = 'new', at = clock_timestamp()");
        String read = "SELECT text FROM notes WHERE id = 1";
        assertThat(query(ServedPerigee.TOKEN, read, "X-Perigee-After", token, "X-Perigee-If-Stale", "fail")
                        .statusCode())
                .isEqualTo(503);
        HttpResponse<String> served =
                query(ServedPerigee.TOKEN, read, "X-Perigee-After", token, "X-Perigee-If-Stale", "serve");
        assertThat(served.body()).contains("old");
        assertThat(served.headers().firstValue("X-Perigee-As-Of")).isPresent();
        assertThat(query(ServedPerigee.TOKEN, read, "X-Perigee-After", token, "X-Perigee-If-Stale", "source")
                        .body())
                .contains("new");
        assertThat(send(
                                ServedPerigee.TOKEN,
                                "GET",
                                "/rest/notes/1",
                                "",
                                "X-Perigee-After",
                                token,
                                "X-Perigee-If-Stale",
                                "source")
                        .body())
                .contains("new");
        assertThat(query(ServedPerigee.TOKEN, read).body())
                .as("the copy was left as it is")
                .contains("old");
    }

    @Test
    void a_greatest_staleness_of_nothing_has_the_table_looked_at_after_the_request() {
        copy("notes", "'cursorColumn': 'at'");
        for (int i = 0; i < 3; i++) {
            postgres.execute("UPDATE notes SET text = 'v%d', at = clock_timestamp()".formatted(i));
            HttpResponse<String> answer =
                    query(ServedPerigee.TOKEN, "SELECT text FROM notes", "X-Perigee-Max-Staleness", "0s");
            assertThat(answer.body()).contains("v" + i);
        }
        postgres.execute("UPDATE notes SET text = 'last', at = clock_timestamp()");
        assertThat(query(ServedPerigee.TOKEN, "SELECT text FROM notes", "X-Perigee-Max-Staleness", "1h")
                        .body())
                .contains("v2");
    }

    @Test
    void an_earlier_answer_a_time_and_a_log_position_can_be_read_after() throws SQLException {
        copy("notes", "'cursorColumn': 'at'");
        copy("other", "'cursorColumn': 'at'");
        postgres.execute("UPDATE notes SET text = 'one', at = clock_timestamp()");
        postgres.execute("UPDATE other SET text = 'one', at = clock_timestamp()");
        HttpResponse<String> first =
                query(ServedPerigee.TOKEN, "SELECT text FROM notes", "X-Perigee-Max-Staleness", "0s");
        String position = first.headers().firstValue("X-Perigee-Position").orElseThrow();
        String asOf = first.headers().firstValue("X-Perigee-As-Of").orElseThrow();
        assertThat(query(ServedPerigee.TOKEN, "SELECT text FROM other", "X-Perigee-After", position)
                        .body())
                .contains("one");
        assertThat(query(ServedPerigee.TOKEN, "SELECT text FROM other", "X-Perigee-After", "t:" + asOf)
                        .statusCode())
                .isEqualTo(200);
        postgres.execute("UPDATE other SET text = 'two', at = clock_timestamp()");
        String log = value("""
                SELECT 'l:' || (SELECT system_identifier FROM pg_control_system()) || ':' ||
                       (SELECT timeline_id FROM pg_control_checkpoint()) || ':' || pg_current_wal_insert_lsn()""");
        assertThat(query(ServedPerigee.TOKEN, "SELECT text FROM other", "X-Perigee-After", log)
                        .body())
                .contains("two");
        String both = "SELECT n.text AS n, o.text AS o FROM notes n, other o";
        String later = query(ServedPerigee.TOKEN, both)
                .headers()
                .firstValue("X-Perigee-Position")
                .orElseThrow();
        assertThat(later).as("what it has seen of other").isGreaterThan(position);
    }

    @Test
    void tokens_of_another_server_or_an_earlier_timeline_are_refused() {
        copy("notes", "'cursorColumn': 'at'");
        String system = value("SELECT system_identifier FROM pg_control_system()");
        String read = "SELECT text FROM notes";
        assertThat(query(ServedPerigee.TOKEN, read, "X-Perigee-After", "x:12345:1")
                        .statusCode())
                .isEqualTo(400);
        assertThat(query(ServedPerigee.TOKEN, read, "X-Perigee-After", "nonsense")
                        .statusCode())
                .isEqualTo(400);
        assertThat(query(ServedPerigee.TOKEN, read, "X-Perigee-Max-Staleness", "soon")
                        .statusCode())
                .isEqualTo(400);
        assertThat(query(ServedPerigee.TOKEN, read, "X-Perigee-If-Stale", "perhaps")
                        .statusCode())
                .isEqualTo(400);
        assertThat(query(ServedPerigee.TOKEN, read, "X-Perigee-After", "l:%s:0:0/1".formatted(system))
                        .statusCode())
                .as("the timeline is not known")
                .isEqualTo(200);
    }

    @Test
    void a_paused_table_is_refused_at_once_and_without_a_time_when_it_will_be_fresh() {
        copy("notes", "'cursorColumn': 'at'");
        perigee.call("PATCH", "/replication/tables/notes", "{'paused': true}").result();
        HttpResponse<String> refused = query(
                ServedPerigee.TOKEN,
                "SELECT text FROM notes",
                "X-Perigee-Max-Staleness",
                "0s",
                "X-Perigee-Wait",
                "50s");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body()).contains("paused").doesNotContain("eta");
    }

    @Test
    void a_table_whose_syncs_fail_is_refused_as_soon_as_that_is_known() {
        copy("notes", "'cursorColumn': 'at'");
        postgres.execute("ALTER TABLE notes RENAME TO gone");
        HttpResponse<String> refused = query(
                ServedPerigee.TOKEN,
                "SELECT text FROM notes",
                "X-Perigee-Max-Staleness",
                "0s",
                "X-Perigee-Wait",
                "50s");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body()).contains("its last sync failed");
    }

    @Test
    void many_waiting_readers_cost_the_source_few_syncs() {
        copy("notes", "'cursorColumn': 'at'");
        String token = written("UPDATE notes SET text = 'new', at = clock_timestamp()");
        long before = runs();
        List<CompletableFuture<HttpResponse<String>>> readers = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 60; i++) {
                readers.add(CompletableFuture.supplyAsync(
                        () -> query(ServedPerigee.TOKEN, "SELECT text FROM notes", "X-Perigee-After", token), threads));
            }
            readers.forEach(reader -> assertThat(reader.join().body()).contains("new"));
        }
        assertThat(runs() - before).isBetween(1L, 3L);
    }

    @Test
    void a_write_to_the_external_database_returns_a_token_that_shows_it() {
        copy("notes", "'cursorColumn': 'at'");
        HttpResponse<String> inserted = send(
                ServedPerigee.TOKEN,
                "POST",
                "/rest/notes",
                "{\"id\": 2, \"text\": \"by rest\"}",
                "X-Starbase-Source",
                "external");
        String token = inserted.headers().firstValue("X-Perigee-Token").orElseThrow();
        assertThat(send(ServedPerigee.TOKEN, "GET", "/rest/notes/2", "", "X-Perigee-After", token)
                        .body())
                .contains("by rest");
        HttpResponse<String> updated = query(
                ServedPerigee.TOKEN,
                "UPDATE notes SET text = 'by query', at = clock_timestamp() WHERE id = 2",
                "X-Starbase-Source",
                "external");
        String next = updated.headers().firstValue("X-Perigee-Token").orElseThrow();
        assertThat(query(
                                ServedPerigee.TOKEN,
                                "SELECT text FROM notes WHERE id = 2",
                                "X-Perigee-After",
                                token + ", " + next)
                        .body())
                .contains("by query");
        assertThat(query(ServedPerigee.TOKEN, "SELECT 1 AS one", "X-Starbase-Source", "external")
                        .headers()
                        .map())
                .as("it has written nothing")
                .doesNotContainKey("x-perigee-token");
    }

    @Test
    void a_write_whose_statement_takes_rights_away_still_succeeds() {
        HttpResponse<String> answer = send(
                ServedPerigee.TOKEN,
                "POST",
                "/query",
                """
                {"transaction": [{"sql": "CREATE ROLE freshness_nobody_%1$s"},
                                 {"sql": "INSERT INTO notes VALUES (9, 'kept')"},
                                 {"sql": "SET LOCAL ROLE freshness_nobody_%1$s"}]}""".formatted(postgres.database()),
                "X-Starbase-Source",
                "external");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(value("SELECT text FROM notes WHERE id = 9")).isEqualTo("kept");
        postgres.execute("DROP ROLE freshness_nobody_" + postgres.database());
    }

    @Test
    void a_rest_answer_has_a_tag_and_is_not_sent_again_while_it_is_the_same() {
        copy("notes", "'cursorColumn': 'at'");
        HttpResponse<String> first = send(ServedPerigee.CLIENT_TOKEN, "GET", "/rest/notes", "");
        String tag = first.headers().firstValue("ETag").orElseThrow();
        assertThat(first.headers().firstValue("Cache-Control").orElseThrow()).matches("private, max-age=3[56][0-9]{2}");
        HttpResponse<String> same = send(ServedPerigee.CLIENT_TOKEN, "GET", "/rest/notes", "", "If-None-Match", tag);
        assertThat(same.statusCode()).isEqualTo(304);
        assertThat(same.body()).isEmpty();
        assertThat(same.headers().firstValue("ETag")).contains(tag);
        assertThat(send(ServedPerigee.CLIENT_TOKEN, "GET", "/rest/notes", "", "X-Perigee-Max-Staleness", "5m")
                        .headers()
                        .firstValue("Cache-Control")
                        .orElseThrow())
                .as("no longer than the reader wants it")
                .matches("private, max-age=(300|2[0-9]{2})");
        String token = written("INSERT INTO notes VALUES (2, 'new')");
        HttpResponse<String> other = send(
                ServedPerigee.CLIENT_TOKEN, "GET", "/rest/notes", "", "If-None-Match", tag, "X-Perigee-After", token);
        assertThat(other.statusCode()).isEqualTo(200);
        perigee.query("CREATE TABLE own (id INTEGER PRIMARY KEY)");
        String empty = send(ServedPerigee.CLIENT_TOKEN, "GET", "/rest/own", "")
                .headers()
                .firstValue("ETag")
                .orElseThrow();
        perigee.query("INSERT INTO own VALUES (1)");
        assertThat(send(ServedPerigee.CLIENT_TOKEN, "GET", "/rest/own", "", "If-None-Match", empty)
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void a_script_can_wait_for_tables() {
        copy("notes", "'cursorColumn': 'at'");
        copy("other", "'cursorColumn': 'at'");
        String token = written("UPDATE notes SET text = 'new', at = clock_timestamp()");
        JsonNode done = perigee.call(
                        "POST", "/replication/wait", "{'after': '%s', 'tables': ['notes']}".formatted(token))
                .result();
        assertThat(done.get("tables").get(0).get("position").asString()).startsWith("p:");
        assertThat(perigee.value("SELECT text FROM notes")).isEqualTo("new");
        assertThat(perigee.call("POST", "/replication/wait", "{}").status()).isEqualTo(400);
        assertThat(perigee.call("POST", "/replication/wait", "{'after': 'x:0:999999999', 'timeout': '200ms'}")
                        .status())
                .isEqualTo(503);
    }

    @Test
    void after_a_restart_the_time_is_still_known_and_a_demand_is_met_by_a_sync() {
        copy("notes", "'cursorColumn': 'at'");
        perigee.close();
        perigee = ServedPerigee.open(folder, postgres.config());
        HttpResponse<String> answer = query(ServedPerigee.TOKEN, "SELECT text FROM notes");
        assertThat(answer.headers().firstValue("X-Perigee-As-Of")).isPresent();
        assertThat(answer.headers().firstValue("X-Perigee-Position")).isEmpty();
        assertThat(query(ServedPerigee.TOKEN, "SELECT text FROM notes", "X-Perigee-Max-Staleness", "1h")
                        .headers()
                        .firstValue("X-Perigee-Position"))
                .isPresent();
    }

    private void copy(String table, String mode) {
        perigee.call("POST", "/replication/tables", "{'name': '%s', 'interval': '1h', %s}".formatted(table, mode))
                .result();
        perigee.call("POST", "/replication/sync", "{'tables': ['%s']}".formatted(table))
                .result();
    }

    private long runs() {
        return perigee.call("GET", "/replication/runs?table=notes&limit=100", "")
                .result()
                .get("runs")
                .size();
    }

    /// Runs a statement at the source, and returns its transaction's token.
    private String written(String sql) {
        try (Connection writer = postgres.connect();
                Statement statement = writer.createStatement()) {
            writer.setAutoCommit(false);
            statement.execute(sql);
            String token = token(statement);
            writer.commit();
            return token;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static String token(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery(TOKEN_OF)) {
            row.next();
            return row.getString(1);
        }
    }

    private String value(String sql) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private HttpResponse<String> query(String caller, String sql, String... headers) {
        return send(caller, "POST", "/query", Json.MAPPER.writeValueAsString(Map.of("sql", sql)), headers);
    }

    /// @param headers names and values in turn
    private HttpResponse<String> send(String caller, String method, String path, String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + path))
                .timeout(Duration.ofSeconds(60))
                .header("Authorization", "Bearer " + caller)
                .header("Content-Type", "application/json");
        IntStream.range(0, headers.length / 2).forEach(i -> request.header(headers[2 * i], headers[2 * i + 1]));
        request.method(method, HttpRequest.BodyPublishers.ofString(body));
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
