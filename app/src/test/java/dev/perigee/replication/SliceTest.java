package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// A copy with a condition has exactly the rows of a real PostgreSQL for which the condition is true.
class SliceTest {
    private static final String[] MODES = {
        "'cursorColumn':'n'",
        "'mode':'xmin'",
        "'mode':'full'",
        "'cursorColumn':'n','group':'g'",
        "'mode':'xmin','group':'g'"
    };

    @TempDir
    Path folder;

    private TestPostgres postgres;
    private PostgresSource source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
        host = TestHost.idle(folder, source);
        postgres.execute("""
                CREATE SEQUENCE s;
                CREATE TABLE t (a int, k int, status text, amount int, is_paid boolean, n bigint DEFAULT nextval('s'),
                    PRIMARY KEY (k, a));
                CREATE TABLE other (k int PRIMARY KEY)""");
        postgres.execute("INSERT INTO t SELECT i % 3, i, 's' || i % 4, i, i % 2 = 0 FROM generate_series(1, 60) i");
        postgres.execute("UPDATE t SET status = NULL WHERE k % 7 = 0");
    }

    @AfterEach
    void stop() {
        host.close();
        source.close();
        postgres.close();
    }

    static Stream<Arguments> histories() {
        return LongStream.range(1, 1 + Long.getLong("seeds", 2))
                .boxed()
                .flatMap(seed -> Stream.of(MODES).map(mode -> Arguments.of(mode, seed)));
    }

    /// Rows move in and out at random, the condition changes at random, and some transactions commit late.
    @ParameterizedTest(name = "{0} seed {1}")
    @MethodSource("histories")
    void the_copy_is_the_slice_at_each_completed_sync(String mode, long seed) throws Exception {
        Random random = new Random(seed);
        String where = condition(random, 2);
        host.post("/tables", "{'name':'other','mode':'xmin','group':'g'}").result();
        boolean isSwept = !mode.contains("full");
        follow(mode + (isSwept ? ",'deletes':'sweep(1h)'" : ""), where);
        for (int step = 0; step < 12; step++) {
            String at = "seed %d, step %d, where %s".formatted(seed, step, where);
            try (Connection late = postgres.connect();
                    Statement open = late.createStatement()) {
                late.setAutoCommit(false);
                open.execute(change(random, "k > 50"));
                for (int i = random.nextInt(4); i >= 0; i--) postgres.execute(change(random, "k <= 50"));
                if (random.nextInt(5) == 0) {
                    where = condition(random, 2);
                    patch(where);
                }
                sync();
                requireSlice(where, at);
                late.commit();
            }
            if (random.nextInt(4) == 0) {
                postgres.execute("DELETE FROM t WHERE k %% 11 = %d".formatted(random.nextInt(11)));
                sync();
                if (isSwept) sweep();
                requireSlice(where, at + ", after deletes");
            }
        }
        sync();
        requireSlice(where, "at the end of seed " + seed);
        if (isSwept)
            assertThat(verify().get("verdict").asString()).as("seed %d", seed).isEqualTo("equal");
    }

    /// In mode `cursor` nobody sees an update that leaves the cursor alone. The sweep compares the slice.
    @Test
    void a_row_that_leaves_behind_the_cursor_is_swept_and_one_that_enters_is_repaired() {
        follow("'cursorColumn':'n','deletes':'sweep(1h)','settle':'0s','stampedBy':'source'", "status = 's1'");
        seal();
        postgres.execute("UPDATE t SET status = 's2' WHERE k = 1; UPDATE t SET status = 's1' WHERE k = 2");
        sync();
        JsonNode found = verify();
        assertThat(found.get("verdict").asString()).isEqualTo("different");
        assertThat(found.toString()).contains("\"missing\":1", "\"extra\":1");
        sweep();
        assertThat(host.query("SELECT k FROM t WHERE k < 3")).isEmpty();
        host.post("/tables/t/verify", "{'repair':true}").result();
        requireSlice("status = 's1'", "after the repair");
    }

    /// A verification must not take a row that the next sync removes for one that was lost.
    @Test
    void a_row_that_is_about_to_leave_is_pending() {
        follow("'cursorColumn':'n'", "status = 's1'");
        host.call("PATCH", "/tables/t", "{'paused':true}").result();
        postgres.execute("UPDATE t SET status = 's2', n = nextval('s') WHERE k = 1");
        JsonNode proof = verify();
        assertThat(proof.get("verdict").asString()).isEqualTo("equal");
    }

    @ParameterizedTest
    @ValueSource(strings = {"'cursorColumn':'n'", "'mode':'xmin'"})
    void the_cursor_passes_rows_outside_the_slice(String mode) {
        follow(mode, "amount <= 10 OR amount > 80");
        String cursor = "SELECT cursor FROM tmp_replication_state WHERE name = 't'";
        boolean isByCursor = mode.contains("cursor");
        if (isByCursor) assertThat(host.value(cursor)).isEqualTo("60");
        postgres.execute("UPDATE t SET n = nextval('s') WHERE k > 50");
        assertThat(sync().pulled()).isZero();
        if (isByCursor) assertThat(host.value(cursor)).isEqualTo("70");
        postgres.execute("UPDATE t SET n = nextval('s'), amount = 81 WHERE k = 60");
        assertThat(sync().inserted()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"'cursorColumn':'n'", "'mode':'xmin'", "'cursorColumn':'n','group':'g'"})
    void another_condition_moves_only_the_rows_that_differ(String mode) {
        follow(mode, "amount <= 30");
        String generation = "SELECT generation FROM tmp_replication_state WHERE name = 't'";
        String before = host.value(generation);
        patch("amount > 25 AND amount <= 40");
        SyncResult result = sync();
        assertThat(result.inserted()).isEqualTo(10);
        assertThat(result.deleted()).isEqualTo(25);
        assertThat(result.unchanged()).isZero();
        requireSlice("amount > 25 AND amount <= 40", mode);
        assertThat(host.value("SELECT note FROM tmp_replication_runs WHERE name = 't' ORDER BY id DESC"))
                .contains("`where` was changed");
        host.call("PATCH", "/tables/t", "{'where':null}").result();
        assertThat(sync().inserted()).isEqualTo(45);
        requireSlice("true", mode);
        assertThat(host.value(generation)).isEqualTo(before);
        patch("a = 1");
        assertThat(sync().deleted()).isEqualTo(40);
        requireSlice("a = 1", mode);
    }

    @Test
    void the_old_rows_stay_until_the_other_slice_is_complete() {
        follow("'cursorColumn':'n'", "amount <= 30");
        patch("amount > 30");
        postgres.execute("ALTER TABLE t RENAME TO hidden");
        assertThat(host.plugin.syncTable("t").join().error()).isPresent();
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("30");
        postgres.execute("ALTER TABLE hidden RENAME TO t");
        sync();
        requireSlice("amount > 30", "later");
    }

    @Test
    void a_row_whose_condition_is_null_is_not_in_the_slice() {
        follow("'mode':'xmin'", "status <> 's1'");
        requireSlice("status <> 's1'", "at first");
        postgres.execute("UPDATE t SET status = NULL WHERE k = 2");
        sync();
        assertThat(host.query("SELECT k FROM t WHERE k = 2")).isEmpty();
    }

    @Test
    void a_column_of_the_condition_that_is_renamed_or_dropped_is_named() {
        follow("'cursorColumn':'n','exclude':['status']", "status = 's1'");
        postgres.execute("ALTER TABLE t RENAME COLUMN status TO state; ALTER TABLE t ADD COLUMN status text");
        assertThat(host.plugin.syncTable("t").join().error().orElseThrow().message())
                .contains("SOURCE_COLUMN_MISSING", "\"status\"", "is called \"state\" now");
        postgres.execute("ALTER TABLE t DROP COLUMN status");
        assertThat(host.plugin.syncTable("t").join().error().orElseThrow().message())
                .contains("SOURCE_COLUMN_MISSING", "is called \"state\" now");
        patch("state = 's2'");
        sync();
        assertThat(host.query("SELECT k FROM t ORDER BY k"))
                .isEqualTo(rows("SELECT k FROM t WHERE state = 's2' ORDER BY k"));
        postgres.execute("ALTER TABLE t DROP COLUMN state");
        assertThat(host.plugin.syncTable("t").join().error().orElseThrow().message())
                .contains("SOURCE_COLUMN_MISSING", "\"state\", which was dropped");
    }

    @Test
    void a_column_of_the_condition_with_another_type_fetches_all_rows() {
        follow("'cursorColumn':'n','exclude':['amount']", "amount <= 30");
        postgres.execute("ALTER TABLE t ALTER amount TYPE bigint USING 0 - amount");
        sync();
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("60");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            'cursorColumn':'n'                | CREATE UNIQUE INDEX u ON v (k) | 200
            'cursorColumn':'n','key':['k']    |                                | 400
            'mode':'full'                     |                                | 200
            'mode':'xmin','key':['k']         | CREATE UNIQUE INDEX u ON v (k) | 200""")
    void rows_that_leave_need_a_key_that_is_unique(String fields, String index, int status) {
        postgres.execute("CREATE TABLE v (k int NOT NULL, n int); " + (index == null ? "" : index));
        TestHost.Reply reply = host.post("/tables", "{'name':'v',%s,'where':'n > 1'}".formatted(fields));
        assertThat(reply.status()).as(reply.body().toString()).isEqualTo(status);
        if (status == 400) assertThat(reply.error()).contains("KEY_MISSING", "unique index");
    }

    @Test
    void the_condition_is_shown_and_its_mistakes_are_named() {
        follow("'cursorColumn':'n'", "status = 's1'");
        assertThat(host.get("/tables/t").result().get("where").asString()).isEqualTo("status = 's1'");
        assertThat(host.get("/status/t").result().get("where").asString()).isEqualTo("status = 's1'");
        assertThat(host.call("PATCH", "/tables/t", "{'where':'nope = 1'}").error())
                .contains("SOURCE_COLUMN_MISSING", "`where`", "nope");
        assertThat(host.call("PATCH", "/tables/t", "{'where':'k'}").error()).contains("INVALID_REQUEST", "boolean");
        assertThat(host.call("PATCH", "/tables/t", "{'where':'k = = 1'}").error())
                .contains("INVALID_REQUEST", "syntax error");
        assertThat(host.call("PATCH", "/tables/t", "{'where':' '}").error())
                .contains("`where`", "expected a condition");
        assertThat(host.get("/tables/t").result().get("where").asString()).isEqualTo("status = 's1'");
    }

    /// A row that cannot be stored is forgotten when it leaves the slice.
    @Test
    void a_row_set_aside_is_forgotten_when_it_leaves() {
        postgres.execute("CREATE TABLE w (k int PRIMARY KEY, f float8 NOT NULL, b boolean)");
        postgres.execute("INSERT INTO w VALUES (1, 1, true)");
        host.post("/tables", "{'name':'w','mode':'xmin','where':'b'}").result();
        host.plugin.syncTable("w").join();
        host.execute("CREATE TRIGGER bad BEFORE INSERT ON w WHEN new.f = 7 BEGIN SELECT raise(ABORT, 'bad'); END");
        postgres.execute("INSERT INTO w VALUES (2, 7, true), (3, 7, false)");
        host.plugin.syncTable("w").join();
        String aside = "SELECT group_concat(key) FROM tmp_replication_set_aside WHERE name = 'w'";
        assertThat(host.value(aside)).isEqualTo("[\"2\"]");
        postgres.execute("UPDATE w SET b = false");
        host.plugin.syncTable("w").join();
        assertThat(host.value(aside)).isEqualTo("null");
        assertThat(host.value("SELECT count(*) FROM w")).isEqualTo("0");
    }

    @Test
    void a_backfill_keeps_to_the_slice() {
        follow("'cursorColumn':'n'", "amount <= 30");
        postgres.execute("UPDATE t SET amount = 61 - amount WHERE k IN (30, 31)");
        JsonNode done = host.post("/tables/t/backfill", "{}").result().get("backfill");
        assertThat(done.get("state").asString()).as(done.toString()).isEqualTo("done");
        requireSlice("amount <= 30", "after the backfill");
    }

    /// Syncs until rows behind the cursor are no longer looked for.
    private void seal() {
        String isSealed =
                "SELECT json_extract(sealing, '$.sealed.cursor') IS cursor FROM tmp_replication_state WHERE name = 't'";
        await().until(() -> {
            sync();
            return host.value(isSealed).equals("1");
        });
    }

    private static String condition(Random random, int depth) {
        if (depth > 0 && random.nextInt(3) > 0) {
            String one = condition(random, depth - 1);
            return switch (random.nextInt(4)) {
                case 0 -> "NOT (" + one + ")";
                case 1 -> one + " OR " + condition(random, depth - 1);
                default -> "(" + one + ") AND (" + condition(random, depth - 1) + ")";
            };
        }
        int number = random.nextInt(60);
        return switch (random.nextInt(9)) {
            case 0 -> "status = 's%d'".formatted(random.nextInt(4));
            case 1 -> "amount %% 3 = %d".formatted(random.nextInt(3));
            case 2 -> "amount BETWEEN %d AND %d".formatted(number, number + 30);
            case 3 -> "is_paid";
            case 4 -> "status IN ('s1', 's3')";
            case 5 -> "coalesce(status, 's1') LIKE '%1'";
            case 6 -> "k > " + number;
            case 7 -> "CASE WHEN is_paid THEN amount ELSE a END > 1";
            default -> "status IS NULL OR length(status || amount::text) > 3";
        };
    }

    /// Inserts or updates some rows, and gives them a new cursor value or none.
    private static String change(Random random, String which) {
        String cursor = random.nextInt(4) == 0 ? "NULL" : "nextval('s')";
        String value = random.nextInt(5) == 0 ? "NULL" : "'s%d'".formatted(random.nextInt(4));
        if (random.nextInt(3) == 0 && which.contains("<=")) {
            return "INSERT INTO t SELECT %d, %d, %s, %d, %s, %s ON CONFLICT DO NOTHING"
                    .formatted(
                            random.nextInt(3),
                            random.nextInt(50),
                            value,
                            random.nextInt(90),
                            random.nextBoolean(),
                            cursor);
        }
        return "UPDATE t SET status = %s, amount = %d + k %% 10, is_paid = NOT is_paid, n = %s WHERE k %% 8 = %d AND %s"
                .formatted(value, random.nextInt(80), cursor, random.nextInt(8), which);
    }

    private void follow(String fields, String where) {
        host.post("/tables", "{'name':'t',%s,'where':'%s'}".formatted(fields, json(where)))
                .result();
        sync();
        requireSlice(where, "at first");
    }

    private void patch(String where) {
        host.call("PATCH", "/tables/t", "{'where':'%s'}".formatted(json(where))).result();
    }

    private static String json(String where) {
        return where.replace("'", "\\u0027").replace("\"", "\\u0022");
    }

    private SyncResult sync() {
        SyncResult result = host.plugin.syncTable("t").join();
        result.error().ifPresent(error -> fail(error.message()));
        return result;
    }

    private void sweep() {
        JsonNode swept = host.post("/tables/t/sweep", "{'confirm':true}").result();
        assertThat(swept.toString()).doesNotContain("\"error\"");
    }

    private JsonNode verify() {
        return host.post("/tables/t/verify", "{}").result().get("proof");
    }

    private void requireSlice(String where, String at) {
        String columns = host.value(
                "SELECT group_concat(name) FROM pragma_table_info('t') WHERE name IN ('k', 'a', 'status', 'amount')");
        assertThat(host.query("SELECT %s FROM t ORDER BY k, a".formatted(columns)))
                .as(at)
                .isEqualTo(rows("SELECT %s FROM t WHERE %s ORDER BY k, a".formatted(columns, where)));
        assertThat(host.value("SELECT row_count FROM tmp_replication_state WHERE name = 't'"))
                .as(at)
                .isEqualTo(host.value("SELECT count(*) FROM t"));
    }

    private List<List<String>> rows(String sql) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            List<List<String>> rows = new ArrayList<>();
            while (row.next()) {
                List<String> cells = new ArrayList<>();
                for (int i = 1; i <= row.getMetaData().getColumnCount(); i++)
                    cells.add(String.valueOf(row.getString(i)));
                rows.add(cells);
            }
            return rows;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
