package dev.perigee.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What every source promises, on a real server of its kind. A subclass says how to get there.
///
/// Tables have an integer key `id`, a nullable integer `c` to be the cursor, and a text `v`.
@Timeout(300)
public abstract class SourceContractTest {
    private static final Scope NULLS = new Scope.NullCursor("c", Optional.empty());

    private Source source;

    /// A source on a database that has no tables of other tests, as far as `execute` made them.
    protected abstract Source open();

    /// A source nobody answers for.
    protected abstract Source unreachable();

    /// Runs one statement at the server, committed, past the source.
    protected abstract void execute(String sql);

    /// A word that must be in the product's name.
    protected abstract String product();

    /// Values that must not be in the place.
    protected abstract List<String> secrets();

    @BeforeEach
    void start() {
        for (String table : List.of("shop_items", "\"Mixed Case\"", "aaa")) execute("DROP TABLE IF EXISTS " + table);
        execute("CREATE TABLE shop_items (id INTEGER PRIMARY KEY, c BIGINT, v VARCHAR(100))");
        source = open();
    }

    @AfterEach
    void stop() {
        source.close();
    }

    @Test
    void it_says_what_and_where_it_is_without_secrets() {
        Source.Info info = source.info();
        assertThat(info.product()).contains(product()).containsPattern("\\d");
        assertThat(info.place()).isNotEmpty();
        for (String secret : secrets()) assertThat(info.place()).doesNotContain(secret);
    }

    @Test
    void it_says_what_can_be_proved_and_that_nothing_stands_in_a_plain_tables_way() {
        SourceReport report = source.probe();
        assertThat(report.server().product()).contains(product()).containsPattern("\\d");
        assertThat(report.server().place()).isEqualTo(source.info().place());
        assertThat(report.server().user()).isNotEmpty();
        Horizon.Sight sight = source.snapshot(
                "a test", List.of(), snapshot -> snapshot.horizon().sight());
        assertThat(report.sight()).isEqualTo(sight);
        assertThat(source.obstacles(List.of(table()))).isEmpty();
    }

    @Test
    void tables_are_discovered_sorted_by_name_and_described_alike() {
        execute("CREATE TABLE \"Mixed Case\" (id INTEGER PRIMARY KEY)");
        execute("CREATE TABLE aaa (id INTEGER PRIMARY KEY)");
        List<SourceTable> tables = source.discover();
        assertThat(tables).extracting(SourceTable::id).isSorted();
        assertThat(tables).extracting(t -> t.id().name()).contains("Mixed Case", "aaa", "shop_items");
        assertThat(tables).contains(source.describe("aaa"), source.describe("\"Mixed Case\""), table());
    }

    @Test
    void a_table_is_described_with_columns_key_and_types() {
        SourceTable table = table();
        assertThat(table.columns()).extracting(SourceColumn::name).containsExactly("id", "c", "v");
        assertThat(table.columns()).extracting(SourceColumn::isNotNull).containsExactly(true, false, false);
        assertThat(table.columns()).allMatch(SourceColumn::isOrdered);
        assertThat(table.columns()).extracting(SourceColumn::identity).doesNotHaveDuplicates();
        assertThat(table.columns())
                .extracting(SourceColumn::declaredType)
                .containsExactly("INTEGER", "INTEGER", "TEXT");
        assertThat(table.key().columns()).containsExactly("id");
        assertThat(table.key().origin()).isEqualTo("primary key");
        assertThat(table.kind()).isEqualTo(SourceTable.Kind.TABLE);
        assertThat(source.describe("SHOP_ITEMS")).isEqualTo(table);
        assertThat(source.describe(table.id().toString())).isEqualTo(table);
    }

    @Test
    void a_table_that_is_not_there_is_missing_by_name() {
        assertFails(() -> source.describe("shop_itens"), Fault.SOURCE_TABLE_MISSING, "shop_itens");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 10, 11, 100})
    void a_pull_sends_every_row_once_in_the_order_of_cursor_and_key(int pageRows) {
        insert(10, 3);
        Pages pages = pull(after(Optional.empty()), pageRows);
        assertThat(pages.sent).isEqualTo(10);
        assertThat(pages.ids).containsExactly(1L, 4L, 7L, 10L, 2L, 5L, 8L, 3L, 6L, 9L);
        assertThat(pages.sizes).allMatch(size -> size > 0 && size <= pageRows);
        assertThat(pages.last()).isEqualTo(mark("2", "9"));
    }

    @Test
    void after_any_mark_the_rest_comes_and_nothing_else_also_between_rows_with_one_cursor() {
        insert(12, 2);
        List<Long> all = pull(after(Optional.empty()), 100).ids;
        Optional<HighWaterMark> after = Optional.empty();
        for (int i = 0; i <= all.size(); i++) {
            Pages rest = pull(after(after), 1);
            assertThat(rest.ids).isEqualTo(all.subList(i, all.size()));
            if (!rest.marks.isEmpty()) after = Optional.of(rest.marks.getFirst());
        }
    }

    @Test
    void rows_without_a_cursor_come_only_in_their_own_pass_by_key() {
        insert(4, 2);
        execute("INSERT INTO shop_items VALUES (30, NULL, 'n')");
        execute("INSERT INTO shop_items VALUES (20, NULL, 'n')");
        assertThat(pull(after(Optional.empty()), 3).ids).containsExactly(1L, 3L, 2L, 4L);
        Pages nulls = pull(NULLS, 1);
        assertThat(nulls.ids).containsExactly(20L, 30L);
        assertThat(nulls.last()).isEqualTo(new HighWaterMark(Optional.empty(), List.of("30")));
    }

    @Test
    void an_empty_table_sends_no_page() {
        Pages pages = pull(after(Optional.empty()), 10);
        assertThat(pages.sent).isZero();
        assertThat(pages.sizes).isEmpty();
    }

    @Test
    void all_pages_are_of_one_snapshot() {
        insert(20, 1);
        Pages pages = new Pages(5) {
            @Override
            public void page(Batch page, HighWaterMark end) {
                if (sizes.isEmpty()) {
                    execute("INSERT INTO shop_items VALUES (1000, 1000, 'late')");
                    execute("DELETE FROM shop_items WHERE id = 20");
                }
                super.page(page, end);
            }
        };
        source.pull(pull(table(), after(Optional.empty()), 5), pages);
        assertThat(pages.ids).isEqualTo(LongStream.rangeClosed(1, 20).boxed().toList());
        assertThat(source.count(table())).isEqualTo(20);
    }

    @Test
    void columns_come_as_asked_for() {
        execute("INSERT INTO shop_items VALUES (1, 2, 'ü')");
        Pull pull = new Pull(
                table(),
                List.of("v", "id"),
                List.of("id"),
                new Scope.After("c", Optional.empty()),
                10,
                NumericStorage.EXACT,
                TimestampStorage.ISO);
        List<Value> cells = new ArrayList<>();
        try (Batch batch = new Batch(2, 10, 1 << 20)) {
            source.pull(pull, new PageSink() {
                @Override
                public Batch next() {
                    return batch;
                }

                @Override
                public void page(Batch page, HighWaterMark end) {
                    cells.add(page.value(0, 0));
                    cells.add(page.value(0, 1));
                    assertThat(end).isEqualTo(mark("2", "1"));
                }
            });
        }
        assertThat(cells).containsExactly(new Value.Text("ü"), new Value.Int(1));
    }

    @Test
    void what_a_sink_throws_comes_out_and_the_source_goes_on() {
        insert(1000, 1);
        Pages failing = new Pages(10) {
            @Override
            public void page(Batch page, HighWaterMark end) {
                throw new IllegalStateException("enough");
            }
        };
        assertThatThrownBy(() -> source.pull(pull(table(), after(Optional.empty()), 10), failing))
                .hasMessage("enough");
        assertThat(source.count(table())).isEqualTo(1000);
    }

    @Test
    void a_table_that_went_away_is_a_fault_and_not_empty() {
        SourceTable table = table();
        execute("DROP TABLE shop_items");
        Pages pages = new Pages(10);
        assertFails(
                () -> source.pull(pull(table, after(Optional.empty()), 10), pages),
                Fault.SOURCE_TABLE_MISSING,
                "shop_items");
        assertFails(() -> source.count(table), Fault.SOURCE_TABLE_MISSING, "shop_items");
    }

    @Test
    void a_query_answers_and_a_statement_counts_what_it_changed() {
        insert(3, 1);
        Answer answer = query(
                "SELECT id, v FROM shop_items WHERE id >= ? AND v <> ? ORDER BY id",
                new Value.Int(2),
                new Value.Text("x"));
        assertThat(answer.result).isEqualTo(-1);
        assertThat(answer.names).containsExactly(List.of("id", "v"));
        assertThat(answer.rows).extracting(List::getFirst).containsExactly(new Value.Int(2), new Value.Int(3));
        assertThat(query("UPDATE shop_items SET v = $1 WHERE id < $2", new Value.Text("y"), new Value.Int(3)).result)
                .isEqualTo(2);
        assertThat(query("SELECT id FROM shop_items WHERE v = 'y'").rows).hasSize(2);
        Answer none = query("SELECT id FROM shop_items WHERE v = 'z'");
        assertThat(none.names).containsExactly(List.of("id"));
        assertThat(none.rows).isEmpty();
    }

    @Test
    void a_query_stops_when_the_sink_has_enough() {
        insert(500, 1);
        Answer answer = new Answer(4);
        source.query("SELECT id FROM shop_items", List.of(), answer);
        assertThat(answer.rows).hasSize(4);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELEC 1", "SELECT nope FROM shop_items", "SELECT 1; DELETE FROM shop_items", "SELECT ?"})
    void a_wrong_statement_is_the_callers_fault_and_changes_nothing(String sql) {
        insert(2, 1);
        assertFails(() -> query(sql), Fault.SOURCE_STATEMENT, "statement");
        assertThat(source.count(table())).isEqualTo(2);
    }

    @Test
    void many_threads_may_ask_at_once() {
        insert(200, 3);
        List<CompletableFuture<List<Long>>> pulls = IntStream.range(0, 20)
                .mapToObj(_ -> CompletableFuture.supplyAsync(() -> pull(after(Optional.empty()), 7).ids))
                .toList();
        List<Long> all = pull(after(Optional.empty()), 1000).ids;
        for (CompletableFuture<List<Long>> pulled : pulls)
            assertThat(pulled.join()).isEqualTo(all);
    }

    @Test
    void a_source_that_cannot_be_reached_is_never_an_empty_answer() {
        SourceTable table = table();
        try (Source gone = unreachable()) {
            assertFails(gone::info, Fault.SOURCE_UNREACHABLE);
            assertFails(gone::discover, Fault.SOURCE_UNREACHABLE);
            assertFails(() -> gone.describe("shop_items"), Fault.SOURCE_UNREACHABLE);
            assertFails(() -> gone.count(table), Fault.SOURCE_UNREACHABLE);
            assertFails(
                    () -> gone.pull(pull(table, after(Optional.empty()), 1), new Pages(1)), Fault.SOURCE_UNREACHABLE);
            assertFails(() -> gone.query("SELECT 1", List.of(), new Answer(1)), Fault.SOURCE_UNREACHABLE);
        }
    }

    @Test
    void after_closing_it_says_so_and_closing_again_does_nothing() {
        source.close();
        source.close();
        assertFails(source::info, Fault.CLOSED);
    }

    /// Rows 1 to `count`, whose cursors repeat 0 to `cursors` - 1, or their number where that is 1.
    private void insert(int count, int cursors) {
        StringBuilder values = new StringBuilder();
        for (int id = 1; id <= count; id++) {
            values.append(id == 1 ? "" : ", ")
                    .append("(%d, %d, 'v%d')".formatted(id, cursors == 1 ? id : (id - 1) % cursors, id));
        }
        execute("INSERT INTO shop_items VALUES " + values);
    }

    private SourceTable table() {
        return source.describe("shop_items");
    }

    private Pages pull(Scope scope, int pageRows) {
        Pages pages = new Pages(pageRows);
        pages.sent = source.pull(pull(table(), scope, pageRows), pages);
        pages.batch.close();
        return pages;
    }

    private static Scope after(Optional<HighWaterMark> mark) {
        return new Scope.After("c", mark);
    }

    private static Pull pull(SourceTable table, Scope scope, int pageRows) {
        return new Pull(
                table,
                List.of("id", "c", "v"),
                List.of("id"),
                scope,
                pageRows,
                NumericStorage.EXACT,
                TimestampStorage.ISO);
    }

    private Answer query(String sql, Value... parameters) {
        Answer answer = new Answer(Integer.MAX_VALUE);
        answer.result = source.query(sql, List.of(parameters), answer);
        return answer;
    }

    private static HighWaterMark mark(String cursor, String key) {
        return new HighWaterMark(Optional.of(cursor), List.of(key));
    }

    private static void assertFails(Runnable call, Fault fault, String... mentioned) {
        assertThatThrownBy(call::run).isInstanceOfSatisfying(PerigeeException.class, e -> {
            assertThat(e.fault()).as(e.getMessage()).isEqualTo(fault);
            for (String part : mentioned) assertThat(e.getMessage()).contains(part);
        });
    }

    private static class Pages implements PageSink {
        final List<Long> ids = new ArrayList<>();
        final List<Integer> sizes = new ArrayList<>();
        final List<HighWaterMark> marks = new ArrayList<>();
        final Batch batch;
        long sent;

        Pages(int pageRows) {
            batch = new Batch(3, pageRows, 1 << 20);
        }

        HighWaterMark last() {
            return marks.getLast();
        }

        @Override
        public Batch next() {
            return batch;
        }

        @Override
        public void page(Batch page, HighWaterMark end) {
            for (int row = 0; row < page.rowCount(); row++) ids.add(((Value.Int) page.value(row, 0)).value());
            sizes.add(page.rowCount());
            marks.add(end);
            page.clear();
        }
    }

    private static final class Answer implements RowSink {
        final List<List<String>> names = new ArrayList<>();
        final List<List<Value>> rows = new ArrayList<>();
        private final int most;
        long result;

        Answer(int most) {
            this.most = most;
        }

        @Override
        public void columns(List<String> columns) {
            names.add(columns);
        }

        @Override
        public boolean row(List<Value> cells) {
            rows.add(cells);
            return rows.size() < most;
        }
    }
}
