package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The main job from end to end: a real PostgreSQL, tables chosen over HTTP, rows read over HTTP.
class PostgresReplicationTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private ServedPerigee perigee;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        perigee = ServedPerigee.forAdmins(folder, postgres.config());
    }

    @AfterEach
    void stop() {
        perigee.close();
        postgres.close();
    }

    @Test
    void rows_appear_by_the_interval_and_five_thousand_with_one_cursor_value_lose_none() {
        postgres.execute("""
                CREATE TABLE orders (id int PRIMARY KEY, total numeric(12,2), updated_at timestamptz NOT NULL DEFAULT now());
                INSERT INTO orders SELECT i, i, '2024-01-01Z' FROM generate_series(1, 1500) i""");
        assertThat(configure("{'name': 'orders', 'cursorColumn': 'updated_at', 'intervalMs': 1000}"))
                .isEqualTo(200);
        awaitValue("1500", "SELECT count(*) FROM orders");
        postgres.execute("""
                INSERT INTO orders SELECT i, i, '2025-01-01 00:00:00.123456Z' FROM generate_series(2001, 7000) i""");
        awaitValue("6500", "SELECT count(*) FROM orders");
        // The same cursor value again, with keys below and above those that were pulled.
        postgres.execute("INSERT INTO orders VALUES (9000, 1, '2025-01-01 00:00:00.123456Z')");
        awaitValue("6501", "SELECT count(*) FROM orders");
        assertThat(perigee.status("orders").get("cursor").asString()).isEqualTo("2025-01-01T00:00:00.123456Z");
    }

    @Test
    void updates_arrive_and_rows_that_are_sent_again_change_nothing() {
        postgres.execute("""
                CREATE TABLE items (id int PRIMARY KEY, v text, c bigint NOT NULL);
                INSERT INTO items SELECT i, 'old', i FROM generate_series(1, 10) i""");
        configure("{'name': 'items', 'cursorColumn': 'c', 'interval': '1h'}");
        sync("items");
        postgres.execute(
                "UPDATE items SET v = 'new', c = 100 + id WHERE id <= 3; UPDATE items SET c = 200 WHERE id = 4");
        var result = perigee.call("POST", "/replication/sync", "{'tables': ['items']}")
                .result();
        assertThat(result.get("success").asBoolean()).isTrue();
        var table = result.get("results").get(0);
        assertThat(table.get("inserted").asInt()).isZero();
        assertThat(table.get("updated").asInt()).isEqualTo(4);
        assertThat(perigee.value("SELECT group_concat(v) FROM items WHERE id <= 4"))
                .isEqualTo("new,new,new,old");
        assertThat(perigee.call("POST", "/replication/sync", "{}")
                        .result()
                        .get("results")
                        .get(0)
                        .get("unchanged")
                        .asInt())
                .isZero();
    }

    /// Cursor types whose values lose something when they go through another type.
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            timestamptz | to_timestamp(i / 1000000.0)
            timestamp   | timestamp '2024-01-01' + i * interval '1 microsecond'
            int8        | 9007199254740992 + i
            numeric     | 12345678901234567890 + i * 0.0001
            text        | i::text
            text COLLATE "en-x-icu" | chr(64 + (i % 50)) || i
            uuid        | lpad(to_hex(i), 32, '0')::uuid
            float8      | i / 3.0
            date        | date '2024-01-01' + i
            """)
    void a_cursor_of_any_type_keeps_its_precision(String type, String expression) {
        postgres.execute("""
                CREATE TABLE precise (id int PRIMARY KEY, c %s NOT NULL);
                INSERT INTO precise SELECT i, %s FROM generate_series(1, 300) i
                """.formatted(type, expression));
        configure("{'name': 'precise', 'cursorColumn': 'c', 'interval': '1h', 'pageRows': 7}");
        sync("precise");
        assertThat(perigee.value("SELECT count(*) FROM precise")).isEqualTo("300");
        assertThat(sync("precise")).as("nothing is fetched again").isZero();
        postgres.execute("INSERT INTO precise SELECT 1000, c FROM precise ORDER BY c DESC LIMIT 1");
        assertThat(sync("precise"))
                .as("the greatest cursor again, with a greater key")
                .isEqualTo(1);
    }

    @Test
    void rows_without_a_cursor_value_are_copied_and_followed_or_refused_by_choice() {
        postgres.execute("""
                CREATE TABLE maybe (id int PRIMARY KEY, c int, v text);
                INSERT INTO maybe SELECT i, CASE WHEN i % 3 > 0 THEN i END, 'a' FROM generate_series(1, 3000) i""");
        configure("{'name': 'maybe', 'cursorColumn': 'c', 'interval': '1h'}");
        sync("maybe");
        assertThat(perigee.value("SELECT count(*) FROM maybe WHERE c IS NULL")).isEqualTo("1000");
        postgres.execute("UPDATE maybe SET v = 'b' WHERE id = 3");
        sync("maybe");
        assertThat(perigee.value("SELECT v FROM maybe WHERE id = 3")).isEqualTo("b");
        var refused = perigee.call(
                "POST",
                "/replication/tables",
                "{'name': 'maybe', 'target': 'other', 'cursorColumn': 'c', 'intervalMs': 1000, 'nullCursor': 'reject'}");
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text()).contains("nullCursor");
    }

    @Test
    void every_kind_of_relation_is_copied_with_its_names() {
        postgres.execute("""
                CREATE SCHEMA "Sales Dept";
                CREATE TABLE "Sales Dept"."Order" ("Id" int, "select" text, "a.b" int NOT NULL, PRIMARY KEY ("Id", "select"));
                INSERT INTO "Sales Dept"."Order" SELECT i, 'x', i FROM generate_series(1, 20) i;
                CREATE TABLE parted (id int PRIMARY KEY, c int NOT NULL) PARTITION BY RANGE (id);
                CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
                CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
                INSERT INTO parted SELECT i, i FROM generate_series(1, 20) i;
                CREATE VIEW seen AS SELECT id, c FROM parted;
                CREATE MATERIALIZED VIEW stored AS SELECT id, c FROM parted;
                CREATE UNIQUE INDEX ON stored (id);
                CREATE TABLE by_index (code text NOT NULL UNIQUE, c int);
                INSERT INTO by_index VALUES ('a', 1), ('b', NULL);
                """);
        String tables = """
                {"tables": [
                    {"name": "\\"Sales Dept\\".\\"Order\\"", "cursorColumn": "a.b", "intervalMs": 1000, "target": "sales"},
                    {"name": "parted", "cursorColumn": "c", "intervalMs": 1000},
                    {"name": "seen", "cursorColumn": "c", "intervalMs": 1000, "key": ["id"]},
                    {"name": "stored", "cursorColumn": "c", "intervalMs": 1000, "key": ["id"]},
                    {"name": "by_index", "cursorColumn": "c", "intervalMs": 1000}]}
                """;
        assertThat(configure(tables)).isEqualTo(200);
        awaitValue("20", "SELECT count(\"select\") FROM sales");
        awaitValue("20", "SELECT count(*) FROM parted");
        awaitValue("20", "SELECT count(*) FROM seen");
        awaitValue("20", "SELECT count(*) FROM stored");
        awaitValue("2", "SELECT count(*) FROM by_index");
        assertThat(perigee.value("SELECT group_concat(name) FROM pragma_table_info('sales') WHERE pk > 0"))
                .isEqualTo("Id,select");
    }

    @Test
    void a_table_without_a_key_is_refused_with_what_to_do() {
        postgres.execute("CREATE TABLE keyless (a int, c int NOT NULL); CREATE TABLE nothing ()");
        var refused = perigee.call(
                "POST", "/replication/tables", "{'name': 'keyless', 'cursorColumn': 'c', 'intervalMs': 1000}");
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text()).contains("KEY_MISSING").contains("`key`");
        assertThat(configure("{'name': 'nothing', 'cursorColumn': 'c', 'intervalMs': 1000}"))
                .as("a table without columns")
                .isEqualTo(400);
        assertThat(configure("{'name': 'keyless', 'cursorColumn': 'c', 'key': ['a'], 'intervalMs': 1000}"))
                .isEqualTo(200);
    }

    @Test
    void a_table_removed_from_replication_keeps_its_rows() {
        postgres.execute("CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept VALUES (1), (2)");
        configure("{'name': 'kept', 'cursorColumn': 'id', 'intervalMs': 1000}");
        awaitValue("2", "SELECT count(*) FROM kept");
        assertThat(perigee.call("DELETE", "/replication/tables/kept", "").status())
                .isEqualTo(200);
        assertThat(perigee.call("GET", "/replication/status/kept", "").status()).isEqualTo(404);
        assertThat(perigee.value("SELECT count(*) FROM kept")).isEqualTo("2");
    }

    @Test
    void a_copy_is_read_only_to_clients_and_another_table_is_not() {
        postgres.execute("CREATE TABLE copied (id int PRIMARY KEY); INSERT INTO copied VALUES (1)");
        configure("{'name': 'copied', 'cursorColumn': 'id', 'intervalMs': 1000}");
        awaitValue("1", "SELECT count(*) FROM copied");
        perigee.close();
        perigee = ServedPerigee.open(folder, postgres.config());
        var refused = perigee.call(ServedPerigee.CLIENT_TOKEN, "POST", "/query", "{\"sql\": \"DELETE FROM copied\"}");
        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.text()).contains("copied");
        assertThat(perigee.value("SELECT count(*) FROM copied")).isEqualTo("1");
    }

    @Test
    void a_source_that_stops_is_said_so_and_healed_from() throws IOException, SQLException {
        Path data = folder.resolve("postgres");
        EmbeddedPostgres first = server(data, 0);
        int port = first.getPort();
        try (ServedPerigee far =
                ServedPerigee.forAdmins(folder.resolve("far"), TestPostgres.config(port, "postgres"))) {
            run(first, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
            far.call("POST", "/replication/tables", "{'name': 't', 'cursorColumn': 'id', 'intervalMs': 1000}")
                    .result();
            await().untilAsserted(() ->
                    assertThat(far.value("SELECT count(*) FROM t")).isEqualTo("1"));
            first.close();
            await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
                assertThat(far.status("t").get("state").asString()).isEqualTo("failing");
                assertThat(far.status("t").get("lastError").get("fault").asString())
                        .isEqualTo("SOURCE_UNREACHABLE");
                assertThat(far.status("t").get("lastError").get("remedy").asString())
                        .contains("accept connections");
            });
            assertThat(far.value("SELECT count(*) FROM t"))
                    .as("the copy is served meanwhile")
                    .isEqualTo("1");
            try (EmbeddedPostgres again = server(data, port)) {
                run(again, "INSERT INTO t VALUES (2)");
                await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
                    assertThat(far.value("SELECT count(*) FROM t")).isEqualTo("2");
                    assertThat(far.status("t").get("state").asString()).isEqualTo("idle");
                });
            }
        }
    }

    /// A table that fails does not hold up the others.
    @Test
    void one_table_fails_and_the_other_goes_on() {
        postgres.execute("""
                CREATE TABLE good (id int PRIMARY KEY); CREATE TABLE bad (id int PRIMARY KEY);
                INSERT INTO good VALUES (1); INSERT INTO bad VALUES (1)""");
        configure("{'name': 'bad', 'cursorColumn': 'id', 'intervalMs': 1000}");
        configure("{'name': 'good', 'cursorColumn': 'id', 'intervalMs': 1000}");
        awaitValue("1", "SELECT count(*) FROM bad");
        postgres.execute("DROP TABLE bad; INSERT INTO good VALUES (2)");
        awaitValue("2", "SELECT count(*) FROM good");
        await().untilAsserted(() -> assertThat(
                        perigee.status("bad").at("/lastError/fault").asString())
                .isEqualTo("SOURCE_TABLE_MISSING"));
        assertThat(perigee.value("SELECT count(*) FROM bad")).isEqualTo("1");
    }

    /// Random writes by one connection, so that cursor values are visible in their own order; random syncs between.
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4})
    void after_any_history_copy_and_source_are_equal(long seed) throws SQLException {
        Random random = new Random(seed);
        postgres.execute("""
                CREATE SEQUENCE stamp;
                CREATE TABLE history (a int, b text, c bigint NOT NULL DEFAULT nextval('stamp'), d jsonb, e numeric,
                    PRIMARY KEY (a, b))""");
        configure("{'name': 'history', 'cursorColumn': 'c', 'interval': '1h', 'pageRows': 10}");
        for (int step = 0; step < 40; step++) {
            int a = random.nextInt(20);
            String sql = switch (random.nextInt(4)) {
                case 0 -> "UPDATE history SET c = nextval('stamp'), e = e + 0.5 WHERE a % 7 = " + a % 7;
                case 1 -> "UPDATE history SET c = nextval('stamp'), d = NULL WHERE a = " + a;
                default -> """
                    INSERT INTO history (a, b, d, e) SELECT %d, chr(65 + i), jsonb_build_object('i', i), i / 3.0
                    FROM generate_series(1, %d) i ON CONFLICT DO NOTHING
                    """.formatted(a, 1 + random.nextInt(25));
            };
            postgres.execute(sql);
            if (random.nextInt(3) == 0) sync("history");
        }
        sync("history");
        List<String> source = new ArrayList<>();
        try (Connection connection = postgres.connect();
                ResultSet row = connection.createStatement().executeQuery("""
                        SELECT a || '|' || b || '|' || c || '|' || coalesce(d::text, 'null') || '|' || round(e::numeric, 10)
                        FROM history ORDER BY a, b COLLATE "C\"""")) {
            while (row.next()) source.add(row.getString(1));
        }
        List<String> copy = new ArrayList<>();
        perigee.query("""
                SELECT a || '|' || b || '|' || c || '|' || coalesce(d, 'null') || '|' || printf('%.10f', e) AS r
                FROM history ORDER BY a, b""").forEach(row -> copy.add(row.get("r").asString()));
        assertThat(copy).hasSizeGreaterThan(50).isEqualTo(source);
    }

    @Test
    void a_table_of_1600_columns_is_copied() {
        String columns = IntStream.range(1, 1600)
                .mapToObj(i -> "c%d int DEFAULT %d".formatted(i, i))
                .collect(Collectors.joining(", "));
        postgres.execute(
                "CREATE TABLE wide (id int PRIMARY KEY, %s); INSERT INTO wide (id) SELECT generate_series(1, 30)"
                        .formatted(columns));
        configure("{'name': 'wide', 'cursorColumn': 'id', 'interval': '1h'}");
        sync("wide");
        assertThat(perigee.value("SELECT sum(c1599) FROM wide")).isEqualTo(Integer.toString(30 * 1599));
    }

    private int configure(String json) {
        return perigee.call("POST", "/replication/tables", json).status();
    }

    /// @return rows the source sent
    private int sync(String table) {
        var result = perigee.call("POST", "/replication/sync", "{'tables': ['%s']}".formatted(table))
                .result()
                .get("results")
                .get(0);
        assertThat(result.has("error") && !result.get("error").isNull())
                .as(result.toString())
                .isFalse();
        return result.get("inserted").asInt()
                + result.get("updated").asInt()
                + result.get("unchanged").asInt();
    }

    private void awaitValue(String expected, String sql) {
        await().ignoreExceptions()
                .untilAsserted(() -> assertThat(perigee.value(sql)).isEqualTo(expected));
    }

    private static EmbeddedPostgres server(Path data, int port) throws IOException {
        return TestPostgres.server()
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .setPort(port)
                .start();
    }

    private static void run(EmbeddedPostgres server, String sql) throws SQLException {
        try (Connection connection = server.getPostgresDatabase().getConnection()) {
            connection.createStatement().execute(sql);
        }
    }
}
