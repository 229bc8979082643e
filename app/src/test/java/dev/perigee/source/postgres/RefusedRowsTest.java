package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.Scope;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.Value;
import dev.perigee.testing.TestPostgres;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// What is said of rows that cannot be decoded, and which keys are absent.
class RefusedRowsTest {
    /// Its batches have one column only, so that decoding each row ends in an exception that is no fault's.
    private static final class NarrowSink implements PageSink, AutoCloseable {
        final Batch batch = new Batch(1, 10, 1000);
        final List<RefusedRow> refused = new ArrayList<>();
        final List<HighWaterMark> ends = new ArrayList<>();

        @Override
        public Batch next() {
            return batch;
        }

        @Override
        public void page(Batch page, HighWaterMark end) {
            assertThat(page.rowCount()).isZero();
            ends.add(end);
        }

        @Override
        public void refused(RefusedRow row) {
            refused.add(row);
        }

        @Override
        public void close() {
            batch.close();
        }
    }

    @Test
    void a_mistake_in_decoding_costs_no_row_and_says_no_value() {
        try (TestPostgres postgres = TestPostgres.create();
                Source source = new PostgresSource(postgres.config());
                NarrowSink sink = new NarrowSink()) {
            postgres.execute("""
                    CREATE TABLE odd (id int PRIMARY KEY, c timestamptz NOT NULL, b bytea, n numeric, a text[]);
                    INSERT INTO odd SELECT i, '2024-01-01Z', '\\x00ff', 1.50, NULL FROM generate_series(1, 250) i""");
            SourceTable table = source.describe("odd");
            source.pull(pull(table, new Scope.After("c", Optional.empty())), sink);
            assertThat(sink.refused).hasSize(250);
            RefusedRow first = sink.refused.getFirst();
            assertThat(first.key()).containsExactly(new Value.Int(1));
            assertThat(first.reason().fault()).isEqualTo(Fault.VALUE_UNSTORABLE);
            assertThat(first.reason().getMessage())
                    .contains("IllegalStateException")
                    .doesNotContain("one more");
            assertThat(first.texts().values().stream()
                            .map(text -> text.map(RefusedRow.Text::text).orElse(null)))
                    .containsExactly("1", "2024-01-01T00:00:00.000000Z", "\\x00ff", "1.50", null);
            assertThat(sink.ends)
                    .as("so many are a page")
                    .extracting(end -> end.key().getFirst())
                    .containsExactly("100", "200", "250");
        }
    }

    @Test
    void keys_are_absent_where_no_row_has_them_and_they_lie_in_the_range_by_the_columns_own_order() {
        try (TestPostgres postgres = TestPostgres.create();
                Source source = new PostgresSource(postgres.config())) {
            postgres.execute("""
                    CREATE TABLE names (name text COLLATE "en-x-icu", n int, PRIMARY KEY (name, n));
                    INSERT INTO names VALUES ('a', 1), ('B', 1), ('b', 2)""");
            SourceTable table = source.describe("names");
            TableId id = table.id();
            List<List<String>> keys = List.of(
                    List.of("a", "1"), List.of("a", "2"), List.of("B", "1"), List.of("c", "1"), List.of("A", "7"));
            assertThat(source.<List<Integer>>snapshot(
                            "names",
                            List.of(id),
                            snapshot -> snapshot.absent(
                                    table, table.key().columns(), Set.of(), keys, Optional.empty(), Optional.empty())))
                    .containsExactlyInAnyOrder(1, 3, 4);
            // By bytes "A" would come before "a", and "c" after "B" but before nothing.
            assertThat(source.<List<Integer>>snapshot(
                            "names",
                            List.of(id),
                            snapshot -> snapshot.absent(
                                    table,
                                    table.key().columns(),
                                    Set.of(),
                                    keys,
                                    Optional.of(List.of("a", "2")),
                                    Optional.of(List.of("B", "9")))))
                    .containsExactlyInAnyOrder(1, 4);
        }
    }

    private static Pull pull(SourceTable table, Scope scope) {
        return new Pull(
                table,
                table.columns().stream().map(column -> column.name()).toList(),
                table.key().columns(),
                scope,
                1000,
                NumericStorage.EXACT,
                TimestampStorage.ISO);
    }
}
