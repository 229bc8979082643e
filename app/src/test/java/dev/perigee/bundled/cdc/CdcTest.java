package dev.perigee.bundled.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.bundled.socket.SocketPlugin;
import dev.perigee.config.QueryConfig;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.testing.Contract;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import dev.perigee.testing.SocketClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `/cdc` as those who follow it have it.
class CdcTest {
    @TempDir
    Path directory;

    private ServedStore served;

    @BeforeEach
    void open() {
        start(QueryConfig.defaults());
        served.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    }

    private void start(QueryConfig query) {
        served = new ServedStore(directory, Setup.standard().query(query).plugins(new SocketPlugin(), new CdcPlugin()));
    }

    @AfterEach
    void close() {
        served.close();
    }

    private SocketClient follow(String more) {
        return SocketClient.connect(served.server.port(), "/cdc" + more, ServedStore.ADMIN);
    }

    private static JsonNode payload(SocketClient client) {
        JsonNode frame = JsonMapper.shared().readTree(client.next());
        assertThat(frame.get("type").asString()).isEqualTo("cdc_event");
        return frame.get("payload");
    }

    private static String line(JsonNode payload) {
        return "%s %s %s %s"
                .formatted(
                        payload.get("action").asString(),
                        payload.get("table").asString(),
                        payload.get("data"),
                        payload.get("old"));
    }

    private static String next(SocketClient client) {
        return line(payload(client));
    }

    /// A plan shows how the triggers that record changes are called; what is called so may do everything.
    @Test
    void a_client_that_learns_the_names_of_the_followers_triggers_gains_no_rights() {
        try (SocketClient _ = follow("")) {
            served.query("INSERT INTO t VALUES (1, 'a')");
            String plan = served.post(
                            "/query",
                            ServedStore.CLIENT,
                            "{\"transaction\":[{\"sql\":\"INSERT INTO t VALUES (2, 'b')\"},"
                                    + "{\"sql\":\"EXPLAIN INSERT INTO t VALUES (3, 'c')\"}]}")
                    .body();
            Matcher name = Pattern.compile("perigee_change_[0-9a-f]{8,}_").matcher(plan);
            assertThat(name.find()).as(plan).isTrue();
            String sql = "WITH %sx AS (SELECT * FROM tmp_rls_policies) SELECT * FROM %sx"
                    .formatted(name.group(), name.group().toUpperCase(Locale.ROOT));
            assertThat(served.run(ServedStore.CLIENT, sql).statusCode()).isEqualTo(403);
            String view = "CREATE VIEW v AS WITH \"%sx\" AS (SELECT * FROM t) SELECT * FROM \"%sx\""
                    .formatted(name.group(), name.group());
            assertThat(served.run(ServedStore.CLIENT, view).statusCode()).isEqualTo(403);
        }
    }

    @Test
    @Contract({
        "Kept: GET /cdc pushes cdc_event payloads to admins",
        "Different: CDC comes from the engine, after commit, in order, with old and new values"
    })
    void each_change_comes_with_its_old_and_new_values() {
        try (SocketClient client = follow("")) {
            served.query("INSERT INTO t VALUES (1, 'a'), (9007199254740993, x'00ff')");
            served.query("update T set v = NULL where id = 1");
            served.query("WITH x AS (SELECT 1) DELETE FROM t");
            JsonNode first = payload(client);
            assertThat(first.get("schema").asString()).isEqualTo("main");
            assertThat(first.get("position").asLong()).isPositive();
            assertThat(line(first)).isEqualTo("INSERT t {\"id\":1,\"v\":\"a\"} null");
            assertThat(next(client)).isEqualTo("INSERT t {\"id\":9007199254740993,\"v\":\"AP8=\"} null");
            assertThat(next(client)).isEqualTo("UPDATE t {\"id\":1,\"v\":null} {\"id\":1,\"v\":\"a\"}");
            assertThat(next(client)).startsWith("DELETE t {\"id\":1,\"v\":null}");
            assertThat(next(client)).startsWith("DELETE t {\"id\":9007199254740993");
        }
    }

    @Test
    void what_is_undone_is_never_told() {
        try (SocketClient client = follow("")) {
            assertThat(served.post("/query", ServedStore.ADMIN, """
                    {"transaction":[{"sql":"INSERT INTO t VALUES (1, 1)"},{"sql":"INSERT INTO t VALUES (1, 2)"}]}""").statusCode())
                    .isEqualTo(409);
            assertThat(served.run(ServedStore.ADMIN, "INSERT INTO t SELECT value, 1 FROM json_each('[5,6,5]')")
                            .statusCode())
                    .isEqualTo(409);
            assertThatThrownBy(() -> served.store.write(tx -> {
                        tx.connection().exec("INSERT INTO t VALUES (7, 7)");
                        throw new IllegalStateException("undone");
                    }))
                    .isInstanceOf(IllegalStateException.class);
            served.query("INSERT OR IGNORE INTO t VALUES (2, 2), (2, 3)");
            assertThat(next(client)).isEqualTo("INSERT t {\"id\":2,\"v\":2} null");
            served.query("INSERT INTO t VALUES (3, 3)");
            assertThat(next(client)).isEqualTo("INSERT t {\"id\":3,\"v\":3} null");
        }
    }

    @Test
    void a_row_that_is_replaced_is_told_as_deleted_by_whichever_index_it_was_in_the_way() {
        served.query("CREATE TABLE u (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE UNIQUE, b, c, UNIQUE (b, c))");
        served.query("CREATE TABLE w (k TEXT, l INT, v, PRIMARY KEY (k, l)) WITHOUT ROWID");
        served.query("INSERT INTO u VALUES (1, 'x', 1, 1), (2, 'y', 2, 2), (3, 'z', NULL, 3)");
        served.query("INSERT INTO w VALUES ('a', 1, 'old')");
        try (SocketClient client = follow("")) {
            served.query("REPLACE INTO u VALUES (1, 'Y', NULL, 3)");
            List<String> got = new ArrayList<>(List.of(next(client), next(client), next(client)));
            assertThat(got.getLast()).isEqualTo("INSERT u {\"id\":1,\"a\":\"Y\",\"b\":null,\"c\":3} null");
            assertThat(got.subList(0, 2)).allMatch(text -> text.startsWith("DELETE u"));
            assertThat(got.subList(0, 2).toString()).contains("\"id\":1,\"a\":\"x\"", "\"id\":2,\"a\":\"y\"");
            served.query("UPDATE OR REPLACE u SET a = 'z' WHERE id = 1");
            assertThat(next(client)).startsWith("DELETE u {\"id\":3");
            assertThat(next(client)).startsWith("UPDATE u {\"id\":1,\"a\":\"z\"");
            served.query("REPLACE INTO w VALUES ('a', 1, 'new')");
            assertThat(next(client)).startsWith("DELETE w {\"k\":\"a\",\"l\":1,\"v\":\"old\"}");
            assertThat(next(client)).startsWith("INSERT w {\"k\":\"a\",\"l\":1,\"v\":\"new\"}");
            served.query("INSERT INTO u VALUES (1, 'q', 7, 7) ON CONFLICT DO UPDATE SET b = 70");
            assertThat(next(client)).startsWith("UPDATE u {\"id\":1,\"a\":\"z\",\"b\":70");
            served.query("INSERT INTO u (a) VALUES ('auto')");
            assertThat(next(client)).startsWith("INSERT u {\"id\":2,\"a\":\"auto\"");
        }
    }

    @Test
    void the_schema_is_followed_and_nobody_is_in_the_way_of_those_who_change_it() {
        try (SocketClient client = follow("")) {
            served.query("CREATE TABLE \"od\"\"d ''x\" (\"a b\" TEXT PRIMARY KEY, g AS (length(\"a b\")))");
            assertThat(next(client)).isEqualTo("RELOAD od\"d ''x null null");
            served.query("INSERT INTO \"od\"\"d ''x\" VALUES ('é')");
            assertThat(next(client)).isEqualTo("INSERT od\"d ''x {\"a b\":\"é\",\"g\":1} null");
            assertThat(served.run(ServedStore.ADMIN, "ALTER TABLE t ADD COLUMN w")
                            .body())
                    .isEqualTo("{\"result\":[]}");
            assertThat(next(client)).startsWith("RELOAD t");
            served.query("INSERT INTO t VALUES (1, 2, 3)");
            assertThat(next(client)).isEqualTo("INSERT t {\"id\":1,\"v\":2,\"w\":3} null");
            assertThat(served.run(ServedStore.ADMIN, "ALTER TABLE t DROP COLUMN v")
                            .body())
                    .isEqualTo("{\"result\":[]}");
            assertThat(next(client)).startsWith("RELOAD t");
            served.query("ALTER TABLE t RENAME COLUMN w TO x");
            assertThat(next(client)).startsWith("RELOAD t");
            served.query("UPDATE t SET x = 4");
            assertThat(next(client)).isEqualTo("UPDATE t {\"id\":1,\"x\":4} {\"id\":1,\"x\":3}");
            served.query("ALTER TABLE t RENAME TO s");
            List<String> renamed = List.of(next(client), next(client));
            assertThat(renamed).containsExactlyInAnyOrder("DROP t null null", "RELOAD s null null");
            served.query("DELETE FROM s");
            assertThat(next(client)).startsWith("DELETE s {\"id\":1,\"x\":4}");
            served.query("DROP TABLE s");
            assertThat(next(client)).startsWith("DROP s");
            JsonNode answer = served.raw("INSERT INTO \"od\"\"d ''x\" VALUES ('y'), ('z')");
            assertThat(answer.get("result").get("meta").get("rows_written").asInt())
                    .isEqualTo(2);
        }
    }

    @Test
    void a_table_made_again_in_one_transaction_is_followed_still() {
        try (SocketClient client = follow("")) {
            assertThat(served.post("/query", ServedStore.ADMIN, """
                    {"transaction":[{"sql":"DROP TABLE t"},{"sql":"CREATE TABLE t (id INTEGER PRIMARY KEY, v)"},
                        {"sql":"INSERT INTO t VALUES (1, 1)"}]}""").body()).isEqualTo("{\"result\":[[],[],[]]}");
            assertThat(next(client)).startsWith("RELOAD t");
            served.query("INSERT INTO t VALUES (2, 2)");
            assertThat(next(client)).startsWith("INSERT t {\"id\":2");
        }
    }

    @Test
    void filters_by_table_and_action_hold_and_mistyped_ones_are_refused() {
        served.query("CREATE TABLE other (id)");
        try (SocketClient client = follow("?tables=T&actions=update,delete")) {
            served.query("INSERT INTO t VALUES (1, 1)");
            served.query("INSERT INTO other VALUES (1)");
            served.query("DELETE FROM other");
            served.query("UPDATE t SET v = 2");
            assertThat(next(client)).startsWith("UPDATE t");
            served.query("DELETE FROM t");
            assertThat(next(client)).startsWith("DELETE t");
        }
        for (String wrong : List.of("?tables=nothere", "?actions=DANCE", "?after=x")) {
            assertThatThrownBy(() -> follow(wrong)).rootCause().message().matches(".*status code 40[04]");
        }
    }

    @Test
    void only_admins_follow() {
        assertThatThrownBy(() -> SocketClient.connect(served.server.port(), "/cdc", ServedStore.CLIENT))
                .rootCause()
                .hasMessageContaining("status code 403");
        assertThat(served.run(ServedStore.CLIENT, "SELECT * FROM tmp_cdc_log").statusCode())
                .isEqualTo(403);
        for (String token : List.of(ServedStore.CLIENT, ServedStore.ADMIN)) {
            assertThat(served.run(token, "INSERT INTO tmp_cdc_log (action, table_name) VALUES ('INSERT', 't')")
                            .statusCode())
                    .isEqualTo(403);
            assertThat(served.run(token, "SELECT perigee_change_note(0, '{}')").statusCode())
                    .isIn(400, 403);
            try (SocketClient _ = follow("")) {
                assertThat(served.run(token, "INSERT INTO t SELECT perigee_change_note(0, '{}'), 1")
                                .statusCode())
                        .isIn(400, 403);
                assertThat(served.run(token, "INSERT INTO t SELECT 1, name FROM temp.sqlite_schema")
                                .statusCode())
                        .isEqualTo(403);
                assertThat(served.run(
                                        token,
                                        "CREATE TRIGGER temp.perigee_change_x AFTER INSERT ON t BEGIN SELECT 1; END")
                                .statusCode())
                        .isIn(400, 403);
            }
        }
    }

    @Test
    @Contract("Different: CDC can be resumed by position")
    void who_comes_back_with_a_position_misses_nothing_over_a_restart_of_the_server() throws Exception {
        long position;
        try (SocketClient client = follow("")) {
            served.query("INSERT INTO t VALUES (1, 1)");
            position = payload(client).get("position").asLong();
        }
        served.query("INSERT INTO t VALUES (2, 2)");
        served.close();
        start(QueryConfig.defaults());
        served.query("INSERT INTO t VALUES (3, 3)");
        try (SocketClient client = follow("?after=" + position)) {
            assertThat(next(client)).startsWith("INSERT t {\"id\":2");
            assertThat(next(client)).startsWith("INSERT t {\"id\":3");
        }
        for (String lost : List.of("0", "-1", String.valueOf(position + 1000), String.valueOf(Long.MAX_VALUE))) {
            try (SocketClient client = follow("?after=" + lost)) {
                assertThat(client.closeCode()).as(lost).isEqualTo(4410);
            }
        }
    }

    @Test
    void triggers_and_row_level_security_change_nothing_about_what_is_told() {
        served.close();
        start(QueryConfig.defaults().withRowLevelSecurity(true));
        served.query("CREATE TABLE log (n INTEGER PRIMARY KEY, what)");
        served.query("CREATE TRIGGER noted AFTER INSERT ON t BEGIN INSERT INTO log (what) VALUES (NEW.v); END");
        served.query(
                "INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, value_type, operator)"
                        + " SELECT value, 't', 'id', '5', 'number', '<' FROM json_each('[\"SELECT\",\"INSERT\",\"UPDATE\",\"DELETE\"]')");
        try (SocketClient client = follow("")) {
            assertThat(served.run(ServedStore.CLIENT, "INSERT INTO t VALUES (1, 'mine')")
                            .body())
                    .contains("result");
            List<String> got = new ArrayList<>(List.of(next(client), next(client)));
            assertThat(got)
                    .containsExactlyInAnyOrder(
                            "INSERT t {\"id\":1,\"v\":\"mine\"} null", "INSERT log {\"n\":1,\"what\":\"mine\"} null");
            assertThat(served.run(ServedStore.CLIENT, "INSERT INTO t VALUES (9, 'not mine')")
                            .statusCode())
                    .isEqualTo(403);
            assertThat(served.run(ServedStore.CLIENT, "REPLACE INTO t VALUES (1, 'again')")
                            .body())
                    .contains("result");
            assertThat(next(client)).startsWith("DELETE t {\"id\":1,\"v\":\"mine\"}");
        }
    }

    @Test
    void a_row_too_large_for_an_event_comes_with_its_key_only() {
        try (SocketClient client = follow("")) {
            served.query("INSERT INTO t VALUES (1, zeroblob(3000000))");
            assertThat(next(client)).isEqualTo("INSERT t {\"id\":1} null");
        }
    }

    @Test
    void tables_with_more_columns_than_a_function_has_arguments_are_followed() {
        StringBuilder columns = new StringBuilder("c0 INTEGER PRIMARY KEY");
        for (int i = 1; i < 300; i++)
            columns.append(", c").append(i).append(" DEFAULT ").append(i);
        served.query("CREATE TABLE wide (" + columns + ")");
        try (SocketClient client = follow("")) {
            served.query("INSERT INTO wide (c0) VALUES (5)");
            JsonNode data = payload(client).get("data");
            assertThat(data.size()).isEqualTo(300);
            assertThat(data.get("c299").asInt()).isEqualTo(299);
        }
    }

    /// What a follower builds from the events is the table as it is.
    @Test
    void a_copy_made_from_the_events_is_equal() {
        served.query("CREATE TABLE r (id INTEGER PRIMARY KEY, a INT UNIQUE, v)");
        served.query("CREATE UNIQUE INDEX half ON r (a / 2) WHERE id > 20");
        Random random = new Random(4);
        try (SocketClient client = follow("?tables=r")) {
            Map<Long, String> copy = new TreeMap<>();
            for (int i = 0; i < 400; i++) {
                int id = random.nextInt(30);
                int a = random.nextInt(30);
                String sql = switch (random.nextInt(7)) {
                    case 0 -> "INSERT OR IGNORE INTO r VALUES (%d, %d, %d)".formatted(id, a, i);
                    case 1 -> "REPLACE INTO r VALUES (%d, %d, %d)".formatted(id, a, i);
                    case 2 -> "DELETE FROM r WHERE id = %d OR a = %d".formatted(id, a);
                    case 3 -> "UPDATE OR REPLACE r SET a = %d, v = %d WHERE id = %d".formatted(a, i, id);
                    case 4 ->
                        "INSERT INTO r VALUES (%d, %d, %d) ON CONFLICT DO UPDATE SET v = -%d".formatted(id, a, i, i);
                    case 5 -> "UPDATE OR IGNORE r SET id = %d WHERE a = %d".formatted(id, a);
                    default -> "INSERT INTO r VALUES (%d, %d, 0)".formatted(id, a);
                };
                served.run(ServedStore.ADMIN, sql);
            }
            served.query("INSERT INTO r VALUES (1000, 1000, 'end')");
            while (true) {
                JsonNode payload = payload(client);
                JsonNode old = payload.get("old");
                if (old != null) assertThat(copy.remove(old.get("id").asLong())).isEqualTo(old.toString());
                if (!payload.get("action").asString().equals("DELETE")) {
                    JsonNode data = payload.get("data");
                    assertThat(copy.put(data.get("id").asLong(), data.toString()))
                            .isNull();
                    if (data.get("id").asLong() == 1000) break;
                }
            }
            Map<Long, String> truth = new TreeMap<>();
            served.query("SELECT * FROM r")
                    .get("result")
                    .forEach(row -> truth.put(row.get("id").asLong(), row.toString()));
            assertThat(copy).isEqualTo(truth);
        }
    }

    @Test
    void a_row_that_is_replaced_by_way_of_an_expression_or_a_condition_is_told_as_deleted() {
        served.query("CREATE TABLE e (id INTEGER PRIMARY KEY, a TEXT, b, \"select\" AS (b * 2))");
        served.query("CREATE UNIQUE INDEX lowered ON e (lower(a) COLLATE nocase DESC, /* x, y) */ b) -- end");
        served.query("CREATE UNIQUE INDEX some ON e (\"select\" ASC) WHERE a LIKE 'k%' AND b > (0)");
        served.query("INSERT INTO e VALUES (1, 'ABC', 1), (2, 'k1', 5), (3, 'x', 5)");
        try (SocketClient client = follow("")) {
            served.query("REPLACE INTO e VALUES (4, 'abc', 1)");
            assertThat(next(client)).startsWith("DELETE e {\"id\":1");
            assertThat(next(client)).startsWith("INSERT e {\"id\":4");
            served.query("REPLACE INTO e VALUES (5, 'k2', 5)");
            assertThat(next(client)).startsWith("DELETE e {\"id\":2");
            assertThat(next(client)).startsWith("INSERT e {\"id\":5");
            served.query("REPLACE INTO e VALUES (6, 'y', 5)");
            assertThat(next(client)).startsWith("INSERT e {\"id\":6");
            served.query("UPDATE OR REPLACE e SET a = 'k3' WHERE id = 3");
            assertThat(next(client)).startsWith("DELETE e {\"id\":5");
            assertThat(next(client)).startsWith("UPDATE e {\"id\":3");
        }
    }

    @Test
    void a_row_that_is_replaced_by_way_of_an_index_made_while_somebody_follows_is_told_as_deleted() {
        served.query("CREATE TABLE e (id INTEGER PRIMARY KEY, a TEXT)");
        served.query("INSERT INTO e VALUES (1, 'ABC')");
        try (SocketClient client = follow("")) {
            served.query("CREATE UNIQUE INDEX lowered ON e (lower(a))");
            assertThat(next(client)).startsWith("RELOAD e");
            served.query("REPLACE INTO e VALUES (2, 'abc')");
            assertThat(next(client)).startsWith("DELETE e {\"id\":1");
            assertThat(next(client)).startsWith("INSERT e {\"id\":2");
        }
    }

    @Test
    void what_triggers_write_to_tables_of_the_same_columns_hides_no_replaced_row() {
        for (String table : List.of("p", "q")) {
            served.query("CREATE TABLE %s (id INTEGER PRIMARY KEY, a INT UNIQUE)".formatted(table));
            served.query("INSERT INTO %s VALUES (1, 10), (2, 20)".formatted(table));
        }
        served.query("CREATE TRIGGER no BEFORE INSERT ON p WHEN NEW.a > 100 BEGIN SELECT RAISE(IGNORE); END");
        served.query("CREATE TRIGGER tr BEFORE INSERT ON p WHEN NEW.a < 100 BEGIN"
                + " INSERT INTO p VALUES (2, NEW.a + 100); INSERT OR REPLACE INTO q VALUES (NEW.id, 20); END");
        try (SocketClient client = follow("")) {
            served.query("REPLACE INTO p VALUES (1, 11)");
            List<String> got = new ArrayList<>();
            for (int i = 0; i < 5; i++) got.add(next(client));
            assertThat(got)
                    .containsExactlyInAnyOrder(
                            "DELETE q {\"id\":1,\"a\":10} {\"id\":1,\"a\":10}",
                            "DELETE q {\"id\":2,\"a\":20} {\"id\":2,\"a\":20}",
                            "INSERT q {\"id\":1,\"a\":20} null",
                            "DELETE p {\"id\":1,\"a\":10} {\"id\":1,\"a\":10}",
                            "INSERT p {\"id\":1,\"a\":11} null");
        }
    }

    @Test
    void nothing_is_recorded_while_nobody_follows() {
        served.query("INSERT INTO t VALUES (1, 1)");
        served.close();
        try (SqliteConnection file =
                        SqliteConnection.open(directory.resolve("perigee.db"), EnumSet.of(OpenFlag.READWRITE));
                SqliteStatement count = file.prepare("SELECT count(*) FROM tmp_cdc_log")) {
            count.step();
            assertThat(count.intAt(0)).isZero();
        }
        start(QueryConfig.defaults());
    }
}
