package dev.perigee.serve;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.QueryConfig;
import dev.perigee.config.SurfaceConfig;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.StatementCall;
import dev.perigee.store.Store;
import dev.perigee.testing.RawHttp;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Point reads, answered on the thread that reads from the connections: which they are, and that nobody can tell.
class InlineReadsTest {
    private static final String BY_KEY = "SELECT * FROM item WHERE id = ?";
    private static final String TABLES = """
            CREATE TABLE item (id INTEGER PRIMARY KEY, code TEXT UNIQUE, size, note TEXT DEFAULT 'n');
            CREATE TABLE part (item INTEGER, number INTEGER, name TEXT, PRIMARY KEY (item, number)) WITHOUT ROWID;
            CREATE INDEX item_size ON item (size);
            CREATE VIEW shown AS SELECT id, code FROM item;
            CREATE VIEW slow AS SELECT id, upper(code) AS code FROM item;
            INSERT INTO item VALUES (1, 'a', 9223372036854775807, NULL), (2, 'b', 1.5, 'two'), (3, 'c', x'00ff', ''),
                (4, 'd', 9e999, 'four\u20ac\ud83d\ude00');
            INSERT INTO part VALUES (1, 1, 'bolt'), (1, 2, 'nut')""".translateEscapes();

    @TempDir
    Path directory;

    private static void fill(ServedStore served) {
        served.store.write(transaction -> {
            transaction.connection().exec(TABLES);
            return true;
        });
    }

    private static long inline(ServedStore served) {
        return served.get("/metrics", ADMIN)
                .body()
                .lines()
                .filter(line -> line.startsWith("perigee_inline_reads_total "))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.indexOf(' '))))
                .sum();
    }

    private static String body(String sql, String... params) {
        return "{\"sql\":\"%s\",\"params\":[%s]}".formatted(sql, String.join(",", params));
    }

    /// Until it is known for what it is; each of the store's readers may have to see it twice.
    private static void learn(ServedStore served, String token, String sql, String... params) {
        Awaitility.await(sql)
                .atMost(Duration.ofMinutes(1))
                .pollInterval(Duration.ZERO)
                .until(() -> {
                    long before = inline(served);
                    assertThat(served.post("/query", token, body(sql, params)).statusCode())
                            .isEqualTo(200);
                    return inline(served) == before + 1;
                });
    }

    private static void runOften(ServedStore served, String token, String sql, String... params) {
        for (int i = 0; i < 12; i++) {
            assertThat(served.post("/query", token, body(sql, params)).statusCode())
                    .isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                BY_KEY,
                "SELECT id, note FROM item WHERE code = ? LIMIT 1",
                "SELECT * FROM item WHERE rowid = ? AND size > 3 AND note IS NOT NULL",
                "SELECT p.*, i.code FROM item AS i JOIN part AS p ON p.item = i.id AND p.number = 1 WHERE i.id = ?",
                "SELECT ?"
            })
    void lookups_by_key_are_point_reads(String sql) {
        try (ServedStore served = new ServedStore(directory)) {
            fill(served);
            learn(served, CLIENT, sql, "1");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM item WHERE size = ?",
                "SELECT * FROM item WHERE note = ?",
                "SELECT * FROM part WHERE item = ?",
                "SELECT * FROM item WHERE id IN (?, 2)",
                "SELECT * FROM item WHERE id > ?",
                "SELECT count(*) FROM item WHERE id = ?",
                "SELECT upper(code) FROM item WHERE id = ?",
                "SELECT code FROM shown WHERE id = ?",
                "SELECT code FROM slow WHERE id = ?",
                "SELECT * FROM item WHERE id = ? AND note LIKE '%a%'",
                "SELECT id || code FROM item WHERE id = ?",
                "SELECT (SELECT max(number) FROM part) FROM item WHERE id = ?",
                "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
                "SELECT * FROM json_each(?)",
                "EXPLAIN SELECT * FROM item WHERE id = ?",
                "UPDATE item SET note = 'm' WHERE id = ?"
            })
    void what_loops_or_calls_a_function_is_none(String sql) {
        try (ServedStore served = new ServedStore(directory)) {
            fill(served);
            runOften(served, ADMIN, sql, "1");
            assertThat(inline(served)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/query", "/query/raw"})
    void answers_are_the_same_to_the_byte_with_their_headers(String path) throws Exception {
        try (ServedStore served = new ServedStore(directory)) {
            fill(served);
            List<String> first = new ArrayList<>();
            for (int id = 1; id <= 5; id++) {
                // Spelt otherwise, it is a text of its own that comes once.
                first.add(whole(served, path, body(BY_KEY + " -- " + id, Integer.toString(id))));
            }
            learn(served, ADMIN, BY_KEY, "1");
            long before = inline(served);
            for (int id = 1; id <= 5; id++) {
                String now = whole(served, path, body(BY_KEY, Integer.toString(id)));
                assertThat(now).isEqualTo(first.get(id - 1));
            }
            assertThat(inline(served)).isEqualTo(before + 5);
        }
    }

    /// The answer with its head, but for the time. The request goes out as a whole, which this path wants.
    private static String whole(ServedStore served, String path, String body) throws IOException {
        return RawHttp.exchange(
                        served.server.port(),
                        "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n".formatted(path, ADMIN)
                                + "Content-Type: application/json\r\nConnection: close\r\nContent-Length: "
                                + body.length() + "\r\n\r\n" + body)
                .replaceFirst("Date: [^\r]*\r\n", "");
    }

    @Test
    void a_mistake_is_said_as_ever() {
        try (ServedStore served = new ServedStore(directory)) {
            fill(served);
            learn(served, CLIENT, BY_KEY, "1");
            HttpResponse<String> answer = served.post("/query", CLIENT, body(BY_KEY));
            assertThat(answer.statusCode()).isEqualTo(400);
            assertThat(answer.body()).contains("Wrong number of parameters");
            assertThat(served.post("/query", "wrong", body(BY_KEY, "1")).statusCode())
                    .isEqualTo(401);
        }
    }

    @Test
    void a_request_for_another_host_is_refused_however_well_its_statement_is_known() throws Exception {
        try (ServedStore served = new ServedStore(directory)) {
            fill(served);
            learn(served, CLIENT, BY_KEY, "1");
            String sent = body(BY_KEY, "1");
            String answer = RawHttp.exchange(
                    served.server.port(),
                    "POST /query HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer " + CLIENT
                            + "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                            + sent.length() + "\r\n\r\n" + sent);
            assertThat(answer).startsWith("HTTP/1.1 421");
        }
    }

    @Test
    void a_body_that_comes_in_pieces_is_answered_too() throws Exception {
        try (ServedStore served = new ServedStore(directory)) {
            fill(served);
            learn(served, CLIENT, BY_KEY, "1");
            String sent = body(BY_KEY, "2");
            String post = "POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + CLIENT
                    + "\r\nContent-Type: application/json\r\nContent-Length: " + sent.length() + "\r\n";
            try (RawHttp raw = new RawHttp(served.server.port())) {
                // The answer to the request before it says that its first piece is there too: they came together.
                String before = post + "\r\n" + body(BY_KEY, "4");
                raw.send(before + post + "Connection: close\r\n\r\n" + sent.substring(0, 10));
                assertThat(raw.head()).startsWith("HTTP/1.1 200");
                raw.send(sent.substring(10));
                assertThat(raw.rest()).contains("\"code\":\"d\"", "HTTP/1.1 200", "\"note\":\"two\"");
            }
        }
    }

    @Test
    void a_view_that_takes_the_tables_place_is_no_point_read_any_more() {
        try (ServedStore served = new ServedStore(directory)) {
            fill(served);
            learn(served, ADMIN, BY_KEY, "1");
            served.query("ALTER TABLE item RENAME TO kept");
            served.query("CREATE VIEW item AS SELECT id, upper(code) AS code FROM kept");
            long before = inline(served);
            runOften(served, ADMIN, BY_KEY, "1");
            assertThat(served.post("/query", ADMIN, body(BY_KEY, "1")).body())
                    .isEqualTo("{\"result\":[{\"id\":1,\"code\":\"A\"}]}");
            assertThat(inline(served)).isEqualTo(before);
        }
    }

    @Test
    void a_row_that_is_large_is_answered_whole_and_by_the_other_path_from_then_on() throws Exception {
        try (ServedStore served = new ServedStore(directory)) {
            fill(served);
            learn(served, CLIENT, BY_KEY, "1");
            served.query("INSERT INTO item (id, note) VALUES (9, printf('%.*c', 100000, 'x'))");
            long before = inline(served);
            assertThat(whole(served, "/query", body(BY_KEY, "9"))).contains("x".repeat(100_000));
            runOften(served, CLIENT, BY_KEY, "1");
            assertThat(inline(served)).isEqualTo(before);
        }
    }

    @Test
    void every_read_sees_what_was_acknowledged_before_it() throws Exception {
        try (ServedStore served = new ServedStore(directory);
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            fill(served);
            String read = "SELECT size FROM item WHERE id = ?";
            learn(served, ADMIN, read, "1");
            AtomicLong written = new AtomicLong(-1);
            List<Callable<Integer>> readers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                readers.add(() -> {
                    int count = 0;
                    while (written.get() < 300) {
                        long least = written.get();
                        long seen = ServedStore.json(served.post("/query", ADMIN, body(read, "2")))
                                .at("/result/0/size")
                                .asLong();
                        assertThat(seen).isGreaterThanOrEqualTo(least);
                        count++;
                    }
                    return count;
                });
            }
            List<Future<Integer>> running = new ArrayList<>();
            for (Callable<Integer> reader : readers) running.add(threads.submit(reader));
            for (int value = 1; value <= 300; value++) {
                served.query("UPDATE item SET size = %d WHERE id = 2".formatted(value));
                written.set(value);
            }
            for (Future<Integer> reader : running) assertThat(reader.get()).isPositive();
            assertThat(inline(served)).isGreaterThan(100);
        }
    }

    /// Sees every answer, and so has to be asked each time.
    private static final class Counting extends StarbasePlugin {
        final AtomicLong seen = new AtomicLong();

        Counting() {
            super("test:counting", false, "");
        }

        @Override
        public RowSink afterQuery(StatementCall call, RowSink rows) {
            seen.incrementAndGet();
            return rows;
        }
    }

    @Test
    void a_plugin_with_a_hook_is_asked_once_for_each_and_on_a_thread_that_may_wait() {
        Counting counting = new Counting();
        try (ServedStore served = new ServedStore(directory, Setup.standard().plugins(counting))) {
            fill(served);
            runOften(served, CLIENT, BY_KEY, "1");
            assertThat(counting.seen).hasValue(12);
            assertThat(inline(served)).isZero();
        }
    }

    @Test
    void under_row_level_security_a_client_sees_its_rows_only_however_well_the_statement_is_known() {
        QueryConfig policed = QueryConfig.defaults().withRowLevelSecurity(true);
        try (ServedStore served = new ServedStore(directory, Setup.standard().query(policed))) {
            fill(served);
            learn(served, ADMIN, BY_KEY, "1");
            HttpResponse<String> answer = served.post("/query", CLIENT, body(BY_KEY, "1"));
            assertThat(answer.body()).doesNotContain("\"code\":\"a\"");
        }
    }

    @Test
    void a_rate_is_counted_once_for_each_request_whichever_path_it_takes() {
        SurfaceConfig perSecond = new SurfaceConfig(List.of(), 100, 60, false, Optional.empty(), false);
        try (ServedStore served = new ServedStore(directory, Setup.standard().serve(c -> c.with(perSecond)))) {
            fill(served);
            learn(served, ADMIN, BY_KEY, "1"); // The client has asked for nothing yet.
            // Mistakes are met on the one path and answered on the other. A burst is a second's worth.
            long refused = IntStream.range(0, 90)
                    .filter(i -> served.post("/query", CLIENT, body(BY_KEY)).statusCode() == 429)
                    .count();
            assertThat(refused).isZero();
        }
    }

    @Test
    void no_read_transaction_is_left_open() {
        try (ServedStore served = new ServedStore(directory)) {
            fill(served);
            learn(served, CLIENT, BY_KEY, "1");
            served.query("UPDATE item SET size = 0");
            assertThat(served.post("/query", CLIENT, body(BY_KEY, "1")).statusCode())
                    .isEqualTo(200);
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> isEmptied(served.store));
        }
    }

    /// Whether the WAL could be emptied, which no read transaction allows.
    private static boolean isEmptied(Store store) {
        try (SqliteConnection other = SqliteConnection.open(store.file(), EnumSet.of(OpenFlag.READWRITE));
                SqliteStatement checkpoint = other.prepare("PRAGMA wal_checkpoint(TRUNCATE)")) {
            return checkpoint.step() && checkpoint.intAt(0) == 0;
        }
    }
}
