package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.ServedPerigee.Reply;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.WorkerConfig;
import dev.perigee.store.Store;
import dev.perigee.testing.Contract;
import dev.perigee.testing.TestPostgres;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Every call of replication's REST interface, with its statuses, over HTTP and with a real PostgreSQL.
class ReplicationApiTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private ServedPerigee perigee;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        postgres.execute("""
                CREATE TABLE orders (id int PRIMARY KEY, total int, updated_at timestamptz NOT NULL DEFAULT now(), extra json);
                CREATE TABLE items (id int PRIMARY KEY, c int NOT NULL);
                INSERT INTO orders SELECT i, i FROM generate_series(1, 100) i;
                INSERT INTO items SELECT i, i FROM generate_series(1, 50) i""");
        perigee = ServedPerigee.forAdmins(folder, postgres.config());
    }

    @AfterEach
    void stop() {
        perigee.close();
        postgres.close();
    }

    @Test
    void tables_are_configured_one_or_many_at_once_and_shown() {
        JsonNode one = post("/tables", "{'name': 'orders', 'cursorColumn': 'updated_at', 'intervalMs': 3600000}")
                .result();
        assertThat(one.get("success").asBoolean()).isTrue();
        assertThat(one.get("count").asInt()).isEqualTo(1);
        JsonNode many = post("/tables", """
                {'tables': [{'name': 'orders', 'cursorColumn': 'id', 'interval': '1h'},
                            {'name': 'items', 'cursorColumn': 'c', 'cron': '0 3 * * *', 'timeZone': 'Europe/Zurich'}]}
                """).result();
        assertThat(many.get("count").asInt()).isEqualTo(2);
        assertThat(get("/tables").result().get("tables").size()).isEqualTo(2);
        JsonNode orders = get("/tables/orders").result();
        assertThat(orders.get("cursorColumn").asString()).isEqualTo("id");
        assertThat(orders.get("intervalMs").asLong()).isEqualTo(3_600_000);
        assertThat(get("/tables/items").result().get("cron").asString()).isEqualTo("0 3 * * *");
        assertThat(get("/tables/public.orders").status()).isEqualTo(200);
        assertThat(get("/tables/nothing").status()).isEqualTo(404);
    }

    @Test
    void a_sync_and_the_status_answer_while_callers_hold_every_reader_they_may() throws Exception {
        Store store = perigee.perigee().store();
        CountDownLatch held = new CountDownLatch(store.callerReaders());
        CountDownLatch end = new CountDownLatch(1);
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < store.callerReaders() + 2; i++) {
            callers.add(Thread.ofPlatform()
                    .start(() -> store.readForCaller(Duration.ofMinutes(1), _ -> {
                        held.countDown();
                        return awaited(end);
                    })));
        }
        held.await();

        post("/tables", "{'name': 'orders', 'cursorColumn': 'id', 'interval': '1h'}")
                .result();
        assertThat(post("/sync", "{'tables': ['orders']}")
                        .result()
                        .get("success")
                        .asBoolean())
                .isTrue();
        assertThat(get("/status").result().get("tables").size()).isEqualTo(1);

        end.countDown();
        for (Thread caller : callers) caller.join();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {'cursorColumn': 'id'}                                                    | 400 | `name`
            {'name': 'orders'}                                                        | 400 | `cursorColumn`
            {'name': 'orders', 'cursorColumn': 'id', 'intervalMs': 999}               | 400 | `intervalMs`
            {'name': 'orders', 'cursorColumn': 'id', 'intervalMs': '1000'}            | 400 | `intervalMs`
            {'name': 'orders', 'cursorColumn': 'id', 'interval': 'soon'}              | 400 | `interval`
            {'name': 'orders', 'cursorColumn': 'id', 'cron': '* * *'}                 | 400 | `cron`
            {'name': 'orders', 'cursorColumn': 'id', 'intervalMs': 1000, 'cron': '* * * * *'} | 400 | only one
            {'name': 'orders', 'cursorColumn': 'id', 'timeZone': 'UTC'}               | 400 | `timeZone`
            {'name': 'orders', 'cursorColumn': 'id', 'pageRows': 0}                   | 400 | `pageRows`
            {'name': 'orders', 'cursorColumn': 'id', 'cursorColum': 'x'}              | 400 | `cursorColum`
            {'name': 'orders', 'cursorColumn': 'id', 'numeric': 'maybe'}              | 400 | `numeric`
            {'name': 'orders', 'mode': 'xmin', 'cursorColumn': 'id'}                  | 400 | `cursorColumn`
            {'name': 'orders', 'mode': 'full', 'deletes': 'sweep(10m)'}               | 400 | `deletes`
            {'name': 'orders', 'cursorColumn': 'id', 'maxDeletedShare': 0}            | 400 | `maxDeletedShare`
            {'name': 'orders', 'cursorColumn': 'id', 'verify': 60000}                 | 400 | `verify`
            {'name': 'orders', 'cursorColumn': 'id', 'key': 'id'}                     | 400 | `key`
            {'name': 'orders', 'cursorColumn': 'id', 'exclude': ['id']}               | 400 | key
            {'name': 'orders', 'cursorColumn': 'extra'}                               | 400 | CURSOR_UNSUITABLE
            {'name': 'orders', 'cursorColumn': 'id', 'target': 'tmp_mine'}            | 400 | tmp_
            {'name': 'nothing', 'cursorColumn': 'id'}                                 | 404 | nothing
            {'name': 'orders', 'cursorColumn': 'nothing'}                             | 404 | nothing
            {'name': 'orders', 'cursorColumn': 'id', 'columns': ['id', 'nothing']}    | 404 | `columns`
            {'tables': []}                                                            | 400 | `tables`
            []                                                                        | 400 | object
            {                                                                         | 400 | JSON
            """)
    void what_cannot_be_is_refused_by_name_and_nothing_is_changed(String json, int status, String named) {
        Reply reply = post("/tables", json);
        assertThat(reply.status()).as(reply.text()).isEqualTo(status);
        assertThat(reply.text()).contains(named);
        assertThat(get("/tables").result().get("tables").size()).isZero();
        assertThat(perigee.query("SELECT * FROM sqlite_schema WHERE name = 'orders'")
                        .size())
                .isZero();
    }

    @Test
    void what_is_promised_of_a_table_is_shown_and_changed() {
        post("/tables", """
                {'name': 'orders', 'cursorColumn': 'id', 'paused': true, 'group': 'g', 'deletes': 'sweep(600s)',
                 'maxDeletedShare': 0.5, 'verify': '90m', 'settle': '0s', 'stampedBy': 'source',
                 'droppedColumns': 'drop'}
                """);
        assertThat(get("/tables/orders").text())
                .contains("\"mode\":\"cursor\"", "\"group\":\"g\"", "\"deletes\":\"sweep(10m)\"")
                .contains("\"maxDeletedShare\":0.5", "\"verify\":\"90m\"", "\"settle\":\"0s\"")
                .contains("\"stampedBy\":\"source\"", "\"droppedColumns\":\"drop\"");

        Reply patched = perigee.call(
                "PATCH", "/replication/tables/orders", "{'mode': 'xmin', 'cursorColumn': null, 'group': null}");
        assertThat(patched.status()).as(patched.text()).isEqualTo(200);
        assertThat(get("/tables/orders").text())
                .contains("\"mode\":\"xmin\"")
                .doesNotContain("cursorColumn", "\"group\"");
        assertThat(get("/status/orders").text()).doesNotContain("cursorColumn");
    }

    @Test
    void of_several_tables_all_or_none_are_configured() {
        Reply reply = post("/tables", """
                {'tables': [{'name': 'orders', 'cursorColumn': 'id', 'intervalMs': 1000},
                            {'name': 'nothing', 'cursorColumn': 'id', 'intervalMs': 1000}]}
                """);
        assertThat(reply.status()).isEqualTo(404);
        assertThat(get("/tables").result().get("tables").size()).isZero();
        assertThat(perigee.query("SELECT * FROM sqlite_schema WHERE name = 'orders'")
                        .size())
                .isZero();
    }

    @Test
    void a_local_table_of_that_name_is_a_conflict_and_stays() {
        perigee.query("CREATE TABLE Orders (mine)");
        Reply reply = post("/tables", "{'name': 'orders', 'cursorColumn': 'id', 'intervalMs': 1000}");
        assertThat(reply.status()).isEqualTo(409);
        assertThat(reply.text()).contains("orders").contains("target");
        assertThat(post("/tables", "{'name': 'orders', 'cursorColumn': 'id', 'target': 'copied', 'intervalMs': 1000}")
                        .status())
                .isEqualTo(200);
        awaitRows("100", "copied");
        assertThat(perigee.value("SELECT count(*) FROM Orders")).isEqualTo("0");
    }

    /// What an admin wrote would stand under the guarantee of the source's rows.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Contract("Different: copies are read-only, for admins too unless `replication.adminsWriteCopies` says otherwise")
    void an_admin_writes_to_no_copy_by_any_way(boolean isInWorker) {
        perigee.close();
        QueryConfig queries = QueryConfig.defaults().withWorkers(new WorkerConfig(2, 256L << 20, isInWorker));
        perigee = ServedPerigee.open(folder, Optional.of(postgres.config()), queries, replication(false));
        post("/tables", "{'name': 'items', 'cursorColumn': 'c', 'interval': '1h'}");
        awaitRows("50", "items");
        perigee.query("CREATE TABLE mine (a)");
        String[][] ways = {
            {"POST", "/query", "{'sql': 'INSERT INTO items VALUES (900, 1)'}"},
            {"POST", "/query", "{'sql': 'UPDATE Items SET c = -1'}"},
            {"POST", "/query/raw", "{'sql': 'DELETE FROM main.items'}"},
            {
                "POST",
                "/query",
                "{'transaction': [{'sql': 'INSERT INTO mine VALUES (1)'}, {'sql': 'REPLACE INTO items VALUES (1, 0)'}]}"
            },
            {"POST", "/rest/items", "{'id': 900, 'c': 1}"},
            {"PATCH", "/rest/items/1", "{'c': -1}"},
            {"PUT", "/rest/items/1", "{'id': 1, 'c': -1}"},
            {"DELETE", "/rest/items/1", ""},
            {"POST", "/import/json/items", "{'data': [{'id': 900, 'c': 1}]}"},
        };
        for (String[] way : ways) {
            Reply reply = perigee.call(way[0], way[1], way[2]);
            assertThat(reply.status()).as(String.join(" ", way) + reply.text()).isEqualTo(403);
            assertThat(reply.text())
                    .contains("is read-only: it is the copy of the replicated table items")
                    .contains("X-Starbase-Source: external", "replication.adminsWriteCopies");
        }
        assertThat(perigee.value("SELECT count(*) || ' ' || sum(c) FROM items")).isEqualTo("50 1275");
        assertThat(perigee.value("SELECT count(*) FROM mine")).isEqualTo("0");
        assertThat(perigee.call("POST", "/query", "{'sql': 'CREATE INDEX by_c ON items (c)'}")
                        .status())
                .as("an index changes no row")
                .isEqualTo(200);
        perigee.close();

        perigee = ServedPerigee.open(folder, Optional.of(postgres.config()), queries, replication(true));
        assertThat(perigee.call("PATCH", "/rest/items/1", "{'c': -1}").status()).isEqualTo(200);
        assertThat(perigee.call(ServedPerigee.CLIENT_TOKEN, "DELETE", "/rest/items/1", "")
                        .status())
                .isEqualTo(403);
    }

    private static ReplicationConfig replication(boolean adminsWriteCopies) {
        return new ReplicationConfig(
                List.of(),
                2,
                100,
                Duration.ofMillis(200),
                Duration.ofSeconds(1),
                0,
                adminsWriteCopies,
                Duration.ofMillis(100),
                Map.of());
    }

    @Test
    void settings_change_and_a_pause_ends_when_it_is_taken_back() {
        post("/tables", "{'name': 'orders', 'cursorColumn': 'id', 'intervalMs': 1000}");
        awaitRows("100", "orders");
        assertThat(patch("/tables/orders", "{'paused': true}")
                        .result()
                        .get("paused")
                        .asBoolean())
                .isTrue();
        await().until(() -> perigee.status("orders").get("state").asString().equals("paused"));
        postgres.execute("INSERT INTO orders VALUES (500, 1)");
        JsonNode all = post("/sync", "").result();
        assertThat(all.get("results").size()).as("a paused table is left out").isZero();
        assertThat(patch("/tables/orders", "{'paused': false, 'intervalMs': 2000}")
                        .result()
                        .get("intervalMs")
                        .asInt())
                .isEqualTo(2000);
        awaitRows("101", "orders");
        assertThat(patch("/tables/orders", "{'name': 'other'}").status()).isEqualTo(400);
        assertThat(patch("/tables/orders", "{'intervalMs': 1}").status()).isEqualTo(400);
        assertThat(patch("/tables/orders", "{}").status()).isEqualTo(400);
        assertThat(patch("/tables/nothing", "{'paused': true}").status()).isEqualTo(404);
    }

    @Test
    void another_choice_of_columns_is_taken_over() {
        post("/tables", "{'name': 'orders', 'cursorColumn': 'id', 'interval': '1h'}");
        awaitRows("100", "orders");
        patch("/tables/orders", "{'exclude': ['extra', 'total']}");
        await().untilAsserted(
                        () -> assertThat(perigee.value("SELECT group_concat(name) FROM pragma_table_info('orders')"))
                                .isEqualTo("id,updated_at"));
        awaitRows("100", "orders");
    }

    @Test
    void a_table_is_removed_with_its_copy_or_without() {
        post(
                "/tables",
                "{'tables': [{'name': 'orders', 'cursorColumn': 'id'}, {'name': 'items', 'cursorColumn': 'c'}]}");
        awaitRows("100", "orders");
        awaitRows("50", "items");
        assertThat(delete("/tables/orders").result().get("dropped").asBoolean()).isFalse();
        assertThat(delete("/tables/items?drop=true").result().get("dropped").asBoolean())
                .isTrue();
        assertThat(delete("/tables/items").status()).isEqualTo(404);
        assertThat(perigee.query("SELECT name FROM sqlite_schema WHERE name IN ('orders', 'items')")
                        .size())
                .isEqualTo(1);
        perigee.query("DELETE FROM orders WHERE id > 10");
        assertThat(post("/tables", "{'name': 'orders', 'cursorColumn': 'id'}").status())
                .as("the rows that stayed are nobody's copy now")
                .isEqualTo(409);
    }

    @Test
    void the_status_tells_where_each_table_stands() {
        post("/tables", "{'name': 'orders', 'cursorColumn': 'id', 'intervalMs': 3600000}");
        await().until(() -> perigee.status("orders").get("guarantee").asString().equals("settled(10s)"));
        JsonNode status = perigee.status("orders");
        assertThat(status.get("cursor").asString()).isEqualTo("100");
        assertThat(status.get("rowCount").asInt()).isEqualTo(100);
        assertThat(status.get("rowsPulled").asInt()).isEqualTo(100);
        assertThat(status.get("state").asString()).isEqualTo("idle");
        assertThat(status.get("intervalMs").asInt()).isEqualTo(3_600_000);
        assertThat(status.get("lag").asInt()).isNotNegative();
        assertThat(status.has("lastSyncAt") && status.has("nextSyncAt")).isTrue();
        assertThat(status.has("lastError")).isFalse();
        assertThat(get("/status").result().get("tables").size()).isEqualTo(1);
        assertThat(get("/status/nothing").status()).isEqualTo(404);
    }

    @Test
    void the_status_counts_numbers_that_are_kept_as_text() {
        postgres.execute("""
                CREATE TABLE exact (id int PRIMARY KEY, n numeric);
                INSERT INTO exact VALUES (1, 1.5), (2, 12345678901234567890.123), (3, NULL)""");
        post("/tables", "{'name': 'exact', 'cursorColumn': 'id', 'interval': '1h'}");
        awaitRows("3", "exact");
        assertThat(perigee.status("exact").get("textNumbers").asInt()).isEqualTo(1);
        postgres.execute("INSERT INTO exact VALUES (4, 12345678901234567890.124)");
        post("/sync", "");
        assertThat(perigee.status("exact").get("textNumbers").asInt()).isEqualTo(2);
        post("/tables/exact/resync", "");
        assertThat(perigee.status("exact").get("textNumbers").asInt()).isEqualTo(2);
    }

    @Test
    void the_status_names_columns_of_types_nobody_knows() {
        postgres.execute("""
                CREATE TYPE odd;
                CREATE FUNCTION odd_in(cstring) RETURNS odd AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
                CREATE FUNCTION odd_out(odd) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
                CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, INTERNALLENGTH = VARIABLE);
                CREATE TABLE strange (id int PRIMARY KEY, o odd);
                INSERT INTO strange VALUES (1, 'x')""");
        post("/tables", "{'name': 'strange', 'cursorColumn': 'id', 'interval': '1h'}");
        awaitRows("1", "strange");
        assertThat(perigee.status("strange").get("notes").toString())
                .contains("column")
                .contains("odd");
        assertThat(perigee.value("SELECT o FROM strange")).isEqualTo("x");
    }

    @Test
    void a_sync_runs_now_and_counts_what_it_did() {
        post(
                "/tables",
                "{'tables': [{'name': 'orders', 'cursorColumn': 'id'}, {'name': 'items', 'cursorColumn': 'c'}]}");
        awaitRows("100", "orders");
        awaitRows("50", "items");
        postgres.execute("INSERT INTO items VALUES (51, 51); UPDATE items SET c = 60 WHERE id = 1");
        JsonNode result = post("/sync", "{'tables': ['items']}").result();
        assertThat(result.get("success").asBoolean()).isTrue();
        JsonNode items = result.get("results").get(0);
        assertThat(items.get("table").asString()).isEqualTo("items");
        assertThat(items.get("inserted").asInt()).isEqualTo(1);
        assertThat(items.get("updated").asInt()).isEqualTo(1);
        assertThat(items.get("deleted").asInt()).isZero();
        assertThat(post("/sync", "").result().get("results").size()).isEqualTo(2);
        assertThat(post("/sync?wait=false", "").result().get("started").size()).isEqualTo(2);
        await().until(() -> perigee.status("items").get("state").asString().equals("idle"));
        assertThat(post("/sync", "{'tables': ['nothing']}").status()).isEqualTo(404);
        assertThat(post("/sync", "{'tables': 'items'}").status()).isEqualTo(400);
        assertThat(post("/sync?wait=perhaps", "").status()).isEqualTo(400);
        postgres.execute("DROP TABLE items");
        JsonNode failed = post("/sync", "{'tables': ['items']}").result();
        assertThat(failed.get("success").asBoolean()).isFalse();
        assertThat(failed.get("results").get(0).get("error").get("fault").asString())
                .isEqualTo("SOURCE_TABLE_MISSING");
    }

    @Test
    void a_resync_fetches_everything_again_and_leaves_out_what_the_source_deleted() {
        post("/tables", "{'name': 'items', 'cursorColumn': 'c', 'interval': '1h'}");
        awaitRows("50", "items");
        postgres.execute("DELETE FROM items WHERE id > 40; ALTER TABLE items ADD note text DEFAULT 'new'");
        JsonNode followed = post("/sync", "{'tables': ['items']}").result();
        assertThat(followed.get("success").asBoolean()).isTrue();
        assertThat(perigee.value("SELECT count(*) FROM items"))
                .as("deleted rows stay")
                .isEqualTo("50");
        assertThat(post("/tables/items/resync", "").result().get("success").asBoolean())
                .isTrue();
        assertThat(perigee.value("SELECT count(*) FROM items WHERE note = 'new'"))
                .isEqualTo("40");
        assertThat(post("/tables/nothing/resync", "").status()).isEqualTo(404);
    }

    @Test
    void runs_are_shown_newest_first() {
        post("/tables", "{'name': 'items', 'cursorColumn': 'c', 'interval': '1h'}");
        awaitRows("50", "items");
        // The first sync may not have ended yet, and a second one would join it.
        await().until(() -> perigee.status("items").path("state").asString("").equals("idle"));
        post("/sync", "");
        JsonNode runs = get("/runs?table=items&limit=2").result().get("runs");
        assertThat(runs.size()).isEqualTo(2);
        assertThat(runs.get(0).get("id").asInt())
                .isGreaterThan(runs.get(1).get("id").asInt());
        assertThat(runs.get(0).get("outcome").asString()).isEqualTo("ok");
        assertThat(get("/runs?limit=0").status()).isEqualTo(400);
        assertThat(get("/runs?table=nothing").status()).isEqualTo(404);
    }

    @Test
    void events_tell_of_a_sync_as_it_happens() throws Exception {
        post("/tables", "{'name': 'items', 'cursorColumn': 'c', 'interval': '1h'}");
        awaitRows("50", "items");
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:%d/replication/events".formatted(perigee.port())))
                .header("Authorization", "Bearer " + ServedPerigee.TOKEN)
                .build();
        try (HttpClient http = HttpClient.newHttpClient()) {
            var response = http.send(request, HttpResponse.BodyHandlers.ofInputStream());
            assertThat(response.headers().firstValue("Content-Type"))
                    .hasValueSatisfying(type -> assertThat(type).startsWith("text/event-stream"));
            try (var lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
                assertThat(lines.readLine()).isEqualTo("event: table");
                postgres.execute("INSERT INTO items VALUES (77, 77)");
                post("/sync", "");
                String event = lines.readLine();
                String data = lines.readLine();
                // The first sync may still tell of its 50 rows, which can be read before it has ended.
                while (!event.equals("event: result") || data.contains("\"inserted\":50")) {
                    event = data;
                    data = lines.readLine();
                }
                assertThat(data).contains("\"table\":\"items\"").contains("\"inserted\":1,");
            }
            http.shutdownNow();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /tables",
        "POST, /tables",
        "GET, /tables/x",
        "PATCH, /tables/x",
        "DELETE, /tables/x",
        "GET, /status",
        "GET, /status/x",
        "POST, /sync",
        "POST, /tables/x/resync",
        "GET, /runs",
        "GET, /events",
        "GET, /source",
        "GET, /proof",
        "GET, /proof/x",
        "POST, /tables/x/recover",
        "POST, /tables/x/verify",
        "POST, /tables/x/sweep",
        "GET, /tables/x/sweep",
        "POST, /tables/x/backfill",
        "GET, /tables/x/backfill",
        "DELETE, /tables/x/backfill",
        "GET, /tables/x/set-aside",
        "POST, /tables/x/set-aside/retry",
        "GET, /requests/x"
    })
    void only_the_admin_may_call(String method, String path) {
        perigee.close();
        perigee = ServedPerigee.open(folder, postgres.config());
        assertThat(perigee.call(ServedPerigee.CLIENT_TOKEN, method, "/replication" + path, "{}")
                        .status())
                .isEqualTo(403);
        assertThat(perigee.call("nobody", method, "/replication" + path, "{}").status())
                .isEqualTo(401);
    }

    @Test
    void after_a_restart_the_schedule_goes_on() {
        post("/tables", "{'name': 'items', 'cursorColumn': 'c', 'intervalMs': 1000}");
        awaitRows("50", "items");
        perigee.close();
        postgres.execute("INSERT INTO items VALUES (60, 60)");
        perigee = ServedPerigee.forAdmins(folder, postgres.config());
        awaitRows("51", "items");
    }

    @Test
    void the_source_says_what_it_can_prove_and_what_would_change_it() {
        JsonNode source = get("/source").result();
        assertThat(source.get("product").asString()).startsWith("PostgreSQL ");
        assertThat(source.get("place").asString()).contains(postgres.database());
        assertThat(source.get("user").asString()).isEqualTo("postgres");
        assertThat(source.get("guarantee").asString()).isEqualTo("complete");
        assertThat(source.get("isStandby").asBoolean()).isFalse();
        assertThat(source.get("isPooled").asBoolean()).isFalse();
        assertThat(source.get("obstacles").isEmpty()).isTrue();
        assertThat(source.at("/answers/pg_control_system").asBoolean()).isTrue();
        assertThat(get("/source").result().get("askedAt")).isEqualTo(source.get("askedAt"));
        assertThat(get("/source?fresh=true").result().get("askedAt")).isNotEqualTo(source.get("askedAt"));
        assertThat(get("/source?fresh=perhaps").status()).isEqualTo(400);
    }

    /// What tells changed rows is in columns that nobody thinks of granting.
    @Test
    void rights_on_some_columns_are_enough_for_every_sync_and_the_status_names_the_grant_for_less_work() {
        String role = postgres.database();
        postgres.execute("CREATE ROLE %1$s LOGIN; GRANT SELECT (id, c) ON items TO %1$s; ALTER TABLE items ADD d int"
                .formatted(role));
        perigee.close();
        perigee = ServedPerigee.forAdmins(folder, postgres.configAs(role));
        post("/tables", "{'name': 'items', 'mode': 'xmin', 'interval': '1h'}").result();
        awaitRows("50", "items");
        postgres.execute("INSERT INTO items VALUES (51, 51); UPDATE items SET c = 0 WHERE id = 7");
        for (int i = 0; i < 2; i++) {
            assertThat(post("/sync", "{'tables': ['items']}")
                            .result()
                            .get("success")
                            .asBoolean())
                    .isTrue();
        }
        assertThat(perigee.value("SELECT count(*) FROM items WHERE c = 0 OR id = 51"))
                .isEqualTo("2");
        String grant = "GRANT SELECT (xmin, ctid, tableoid) ON \"public\".\"items\" TO \"%s\"".formatted(role);
        assertThat(perigee.status("items").get("notes").get(0).asString()).contains("all rows are read", grant);
        postgres.execute(grant);
        post("/sync", "{'tables': ['items']}").result();
        assertThat(perigee.status("items").get("notes").isEmpty()).isTrue();
        postgres.execute("DROP OWNED BY %1$s; DROP ROLE %1$s".formatted(role));
    }

    private void awaitRows(String count, String table) {
        await().ignoreExceptions()
                .untilAsserted(() -> assertThat(perigee.value("SELECT count(*) FROM " + table))
                        .isEqualTo(count));
    }

    private Reply get(String path) {
        return perigee.call("GET", "/replication" + path, "");
    }

    private Reply post(String path, String json) {
        return perigee.call("POST", "/replication" + path, json);
    }

    private Reply patch(String path, String json) {
        return perigee.call("PATCH", "/replication" + path, json);
    }

    private Reply delete(String path) {
        return perigee.call("DELETE", "/replication" + path, "");
    }

    private static String awaited(CountDownLatch latch) {
        try {
            latch.await();
            return "left";
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
