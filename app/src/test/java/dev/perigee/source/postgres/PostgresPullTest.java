package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.Value;
import dev.perigee.testing.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Pulls against a real server: order, marks, pages, and what must fail.
class PostgresPullTest {
    private static TestPostgres postgres;
    private static PostgresSource source;

    @BeforeAll
    static void start() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
    }

    @AfterAll
    static void stop() {
        source.close();
        postgres.close();
    }

    @Test
    void pages_end_at_their_size_and_each_has_the_mark_of_its_last_row() {
        postgres.execute("""
                CREATE TABLE pages (id int PRIMARY KEY, c int NOT NULL);
                INSERT INTO pages SELECT i, i / 2 FROM generate_series(1, 25) i""");
        try (CollectedPages pages = new CollectedPages(2, 10)) {
            assertThat(source.pull(pull("pages", "c", Optional.empty()), pages)).isEqualTo(25);
            assertThat(pages.pageSizes).containsExactly(10, 10, 5);
            assertThat(pages.marks).containsExactly(mark("5", "10"), mark("10", "20"), mark("12", "25"));
        }
    }

    /// A snapshot that waited for a lock was taken after the time it is said to be as of, and never before it.
    @Test
    void a_snapshot_is_as_of_a_time_before_it_was_taken() throws Exception {
        postgres.execute("CREATE TABLE awaited (id int PRIMARY KEY)");
        SourceTable table = source.describe("awaited");
        try (Connection locking = postgres.connect();
                Connection watching = postgres.connect()) {
            locking.setAutoCommit(false);
            locking.createStatement().execute("LOCK TABLE awaited; INSERT INTO awaited VALUES (1)");
            CompletableFuture<Instant> asOf =
                    CompletableFuture.supplyAsync(() -> source.snapshot("awaited", List.of(table.id()), snapshot -> {
                        assertThat(snapshot.count(table)).isEqualTo(1);
                        return snapshot.asOf().orElseThrow();
                    }));
            await().until(() -> {
                try (ResultSet row = watching.createStatement()
                        .executeQuery(
                                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'awaited'::regclass")) {
                    row.next();
                    return row.getInt(1) == 1;
                }
            });
            Instant before = time(watching);
            locking.commit();
            assertThat(asOf.get()).isBefore(before);
        }
    }

    private static Instant time(Connection connection) throws SQLException {
        try (ResultSet row = connection.createStatement().executeQuery("SELECT clock_timestamp()")) {
            row.next();
            return row.getObject(1, OffsetDateTime.class).toInstant();
        }
    }

    @Test
    void a_table_without_rows_sends_no_page() {
        postgres.execute("CREATE TABLE nobody (id int PRIMARY KEY)");
        try (CollectedPages pages = new CollectedPages(1, 10)) {
            assertThat(source.pull(pull("nobody", "id", Optional.empty()), pages))
                    .isZero();
            assertThat(pages.pageSizes).isEmpty();
        }
    }

    @Test
    void of_rows_with_one_cursor_value_those_with_a_greater_key_come_after_the_mark() {
        postgres.execute("""
                CREATE TABLE ties (id int PRIMARY KEY, c timestamptz NOT NULL);
                INSERT INTO ties SELECT i, '2024-01-01 00:00:00.123456Z' FROM generate_series(1, 5000) i""");
        try (CollectedPages first = new CollectedPages(2, 1000)) {
            source.pull(pull("ties", "c", Optional.empty()), first);
            assertThat(first.marks.get(2)).isEqualTo(mark("2024-01-01T00:00:00.123456Z", "3000"));
            try (CollectedPages rest = new CollectedPages(2, 1000)) {
                source.pull(pull("ties", "c", Optional.of(first.marks.get(2))), rest);
                assertThat(rest.firsts()).isEqualTo(numbers(3001, 5000));
            }
        }
    }

    /// Text in a linguistic collation, upper case after lower, and a key of several columns with a column's name that
    /// is also a keyword: whatever the order is, each mark must split it in two.
    @ParameterizedTest
    @ValueSource(strings = {"", "COLLATE \"C\"", "COLLATE \"en-x-icu\"", "COLLATE \"de-x-icu\""})
    void every_mark_splits_the_order_in_two(String collation) {
        postgres.execute("""
                DROP TABLE IF EXISTS "Order ""1"" x";
                CREATE TABLE "Order ""1"" x" ("select" text %s NOT NULL, "B b" uuid, c text %s NOT NULL,
                    PRIMARY KEY ("select", "B b"));
                INSERT INTO "Order ""1"" x" SELECT (ARRAY['a','A','ä','z','Z','10','9','_','it''s', E'b\\\\s'])[1 + i %% 10],
                    gen_random_uuid(), (ARRAY['x','X','é','e','-e'])[1 + i %% 5] FROM generate_series(1, 60) i
                """.formatted(collation, collation));
        SourceTable table = source.describe("\"Order \"\"1\"\" x\"");
        try (CollectedPages all = new CollectedPages(3, 1)) {
            source.pull(pull(table, "c", Optional.empty()), all);
            assertThat(all.rows).hasSize(60);
            for (int i = 0; i < 60; i++) {
                try (CollectedPages rest = new CollectedPages(3, 100)) {
                    source.pull(pull(table, "c", Optional.of(all.marks.get(i))), rest);
                    assertThat(rest.rows).as("after row %d", i).isEqualTo(all.rows.subList(i + 1, 60));
                }
            }
        }
    }

    @Test
    void rows_without_a_cursor_come_in_their_own_pass_by_key() {
        postgres.execute("""
                CREATE TABLE sometimes (id int PRIMARY KEY, c int);
                INSERT INTO sometimes VALUES (3, NULL), (1, NULL), (2, 7)""");
        try (CollectedPages with = new CollectedPages(2, 10);
                CollectedPages without = new CollectedPages(2, 10)) {
            source.pull(pull("sometimes", "c", Optional.empty()), with);
            source.pull(pull(source.describe("sometimes"), new Scope.NullCursor("c", Optional.empty())), without);
            assertThat(with.firsts()).isEqualTo(numbers(2, 2));
            assertThat(without.firsts()).containsExactly(new Value.Int(1), new Value.Int(3));
            assertThat(without.marks).containsExactly(new HighWaterMark(Optional.empty(), List.of("3")));
        }
    }

    @Test
    void all_pages_are_of_one_snapshot() throws Exception {
        postgres.execute("""
                CREATE TABLE moving (id int PRIMARY KEY, c int NOT NULL);
                INSERT INTO moving SELECT i, i FROM generate_series(1, 1000) i""");
        List<Value> ids = new ArrayList<>();
        try (Batch batch = new Batch(2, 100, 1 << 20);
                Connection other = postgres.connect()) {
            PageSink sink = new PageSink() {
                @Override
                public Batch next() {
                    return batch;
                }

                @Override
                public void page(Batch page, HighWaterMark end) {
                    for (int row = 0; row < page.rowCount(); row++) ids.add(page.value(row, 0));
                    page.clear();
                    try (var statement = other.createStatement()) {
                        statement.execute("DELETE FROM moving WHERE id > 900; UPDATE moving SET c = c + 5000");
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                }
            };
            source.pull(pull("moving", "c", Optional.empty()), sink);
        }
        assertThat(ids).isEqualTo(numbers(1, 1000));
    }

    @Test
    void one_row_larger_than_a_page_goes_through() {
        postgres.execute("""
                CREATE TABLE large (id int PRIMARY KEY, v text);
                INSERT INTO large VALUES (1, 'a'), (2, repeat('x', 20000000)), (3, 'b')""");
        try (CollectedPages pages = new CollectedPages(2, 10)) {
            source.pull(pull("large", "id", Optional.empty()), pages);
            assertThat(pages.firsts()).isEqualTo(numbers(1, 3));
            assertThat(pages.rows.get(1).get(1)).isEqualTo(new Value.Text("x".repeat(20_000_000)));
        }
    }

    @Test
    void what_a_view_s_functions_call_is_found() {
        postgres.execute("""
                CREATE FUNCTION inner_one(i int) RETURNS int LANGUAGE sql AS 'SELECT i + 1';
                CREATE FUNCTION outer_one(i int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN inner_one(i); END';
                CREATE VIEW called AS SELECT i AS id, outer_one(i) AS n FROM generate_series(1, 3) i""");
        try (CollectedPages pages = new CollectedPages(2, 10)) {
            SourceTable view = source.describe("called");
            Pull pull = new Pull(
                    view,
                    List.of("id", "n"),
                    List.of("id"),
                    new Scope.After("id", Optional.empty()),
                    10,
                    NumericStorage.EXACT,
                    TimestampStorage.ISO);
            assertThat(source.pull(pull, pages)).isEqualTo(3);
        }
    }

    @Test
    void a_table_of_1600_columns_goes_through() {
        String columns = IntStream.range(1, 1600)
                .mapToObj(i -> "c%d int DEFAULT %d".formatted(i, i))
                .collect(Collectors.joining(", "));
        postgres.execute(
                "CREATE TABLE wide (id int PRIMARY KEY, %s); INSERT INTO wide (id) VALUES (1)".formatted(columns));
        try (CollectedPages pages = new CollectedPages(1600, 10)) {
            source.pull(pull("wide", "c1599", Optional.empty()), pages);
            assertThat(pages.rows.getFirst()).hasSize(1600).endsWith(new Value.Int(1599));
        }
    }

    /// The key is not the catalog's but an admin's word, who may be wrong.
    @Test
    void a_row_with_a_null_in_its_key_is_in_no_scope_but_its_own_and_refused_there_by_name() {
        postgres.execute("""
                CREATE TABLE keyless (a int, c int NOT NULL);
                INSERT INTO keyless VALUES (1, 1), (NULL, 2)""");
        SourceTable table = source.describe("keyless");
        assertThat(table.key().columns()).isEmpty();
        try (CollectedPages pages = new CollectedPages(2, 10)) {
            Pull pull = new Pull(
                    table,
                    List.of("a", "c"),
                    List.of("a"),
                    new Scope.After("c", Optional.empty()),
                    10,
                    NumericStorage.EXACT,
                    TimestampStorage.ISO);
            assertThat(source.pull(pull, pages)).as("it cannot be compared").isEqualTo(1);
            Pull without = pull.of(new Scope.NullKey());
            assertFault(() -> source.pull(without, pages), Fault.KEY_MISSING, "keyless", "\"a\"");
            assertThat(pages.pageSizes).containsExactly(1);
        }
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            ALTER TABLE drift RENAME COLUMN v TO w,    SOURCE_SCHEMA_CHANGED
            ALTER TABLE drift DROP COLUMN v,           SOURCE_SCHEMA_CHANGED
            ALTER TABLE drift ALTER v TYPE bigint,     SOURCE_SCHEMA_CHANGED
            ALTER TABLE drift ALTER v DROP NOT NULL,   SOURCE_SCHEMA_CHANGED
            DROP TABLE drift,                          SOURCE_TABLE_MISSING
            """)
    void a_table_that_changed_since_it_was_described_is_not_read(String change, Fault fault) {
        postgres.execute("DROP TABLE IF EXISTS drift; CREATE TABLE drift (id int PRIMARY KEY, v int NOT NULL)");
        Pull pull = pull("drift", "id", Optional.empty());
        postgres.execute(change);
        try (CollectedPages pages = new CollectedPages(2, 10)) {
            assertFault(() -> source.pull(pull, pages), fault, "drift");
        }
    }

    /// An expression that fails at a row in the middle: what came before may have been sent, but the end was not
    /// reached.
    @Test
    void an_error_in_the_middle_is_a_fault_and_not_the_end() {
        postgres.execute("""
                CREATE TABLE base (id int PRIMARY KEY);
                INSERT INTO base SELECT generate_series(1, 50000);
                CREATE VIEW breaking AS SELECT id, 1 / (40000 - id) AS v FROM base ORDER BY id""");
        SourceTable view = source.describe("breaking");
        try (CollectedPages pages = new CollectedPages(2, 1000)) {
            Pull pull = new Pull(
                    view,
                    List.of("id", "v"),
                    List.of("id"),
                    new Scope.After("id", Optional.empty()),
                    1000,
                    NumericStorage.EXACT,
                    TimestampStorage.ISO);
            assertFault(() -> source.pull(pull, pages), Fault.SOURCE_FAILED, "division by zero");
        }
        assertThat(source.count(source.describe("base")))
                .as("the source can be used again")
                .isEqualTo(50_000);
    }

    @Test
    void when_the_sink_fails_its_own_exception_comes_out_and_nothing_stays_behind() throws Exception {
        postgres.execute("""
                CREATE TABLE refused (id int PRIMARY KEY);
                INSERT INTO refused SELECT generate_series(1, 200000)""");
        Pull pull = pull("refused", "id", Optional.empty());
        PageSink sink = new PageSink() {
            @Override
            public Batch next() {
                throw new IllegalStateException("no room");
            }

            @Override
            public void page(Batch page, HighWaterMark end) {
                throw new AssertionError();
            }
        };
        for (int i = 0; i < 20; i++) {
            assertThatThrownBy(() -> source.pull(pull, sink)).hasMessage("no room");
        }
        try (Connection connection = postgres.connect();
                PreparedStatement busy = connection.prepareStatement("""
                        SELECT count(*) FROM pg_stat_activity
                        WHERE application_name = 'perigee' AND datname = current_database() AND state <> 'idle'""")) {
            await().untilAsserted(() -> {
                try (ResultSet row = busy.executeQuery()) {
                    row.next();
                    assertThat(row.getInt(1)).isZero();
                }
            });
        }
        assertThat(source.info().product()).startsWith("PostgreSQL 18");
    }

    /// Random tables of random types with random values: what is read again by marks is what was there.
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void random_rows_arrive_once_and_in_order_whatever_the_page_size(long seed) {
        Random random = new Random(seed);
        postgres.execute("""
                DROP TABLE IF EXISTS random_rows;
                CREATE TABLE random_rows (k1 int, k2 text, c numeric, n float8, t timestamptz, PRIMARY KEY (k1, k2));
                SELECT setseed(%s);
                INSERT INTO random_rows SELECT (random() * 30)::int, md5(i::text),
                    CASE WHEN random() < 0.1 THEN NULL ELSE round((random() * 20)::numeric, (random() * 2)::int) END,
                    random(), to_timestamp(random() * 2e9) FROM generate_series(1, 3000) i
                """.formatted(random.nextDouble()));
        List<List<Value>> arrived = new ArrayList<>();
        Optional<HighWaterMark> after = Optional.empty();
        SourceTable table = source.describe("random_rows");
        while (true) {
            int pageRows = 1 + random.nextInt(800);
            try (CollectedPages pages = new CollectedPages(5, pageRows)) {
                source.pull(pull(table, "c", after), pages);
                if (pages.rows.isEmpty()) break;
                // As if it had been killed after some pages.
                int kept = 1 + random.nextInt(pages.pageSizes.size());
                arrived.addAll(pages.rows.subList(
                        0,
                        pages.pageSizes.subList(0, kept).stream()
                                .mapToInt(i -> i)
                                .sum()));
                after = Optional.of(pages.marks.get(kept - 1));
            }
        }
        try (CollectedPages nulls = new CollectedPages(5, 100);
                CollectedPages whole = new CollectedPages(5, 5000)) {
            source.pull(pull(table, "c", Optional.empty()), whole);
            assertThat(arrived).isEqualTo(whole.rows);
            source.pull(pull(table, new Scope.NullCursor("c", Optional.empty())), nulls);
            assertThat(arrived.size() + nulls.rows.size()).isEqualTo(3000);
        }
    }

    private static void assertFault(Runnable call, Fault fault, String... mentioned) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(fault))
                .satisfies(e -> assertThat(e.getMessage()).contains(mentioned));
    }

    private static HighWaterMark mark(String cursor, String... key) {
        return new HighWaterMark(Optional.of(cursor), List.of(key));
    }

    private static List<Value> numbers(long from, long to) {
        return LongStream.rangeClosed(from, to)
                .mapToObj(n -> (Value) new Value.Int(n))
                .toList();
    }

    private static Pull pull(String table, String cursor, Optional<HighWaterMark> after) {
        return pull(source.describe(table), cursor, after);
    }

    private static Pull pull(SourceTable table, String cursor, Optional<HighWaterMark> after) {
        return pull(table, new Scope.After(cursor, after));
    }

    private static Pull pull(SourceTable table, Scope scope) {
        return new Pull(
                table,
                table.columns().stream().map(SourceColumn::name).toList(),
                table.key().columns(),
                scope,
                1000,
                NumericStorage.EXACT,
                TimestampStorage.ISO);
    }
}
