package dev.perigee.cli.demo;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Source;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Store;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Compares a table with its copy, value by value. Both are read completely, in key order and in step.
///
/// The key's columns are integers here, whose order is the same in PostgreSQL and in SQLite.
final class DemoComparison {
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final int PAGE_ROWS = 1000;

    /// @param sourceRows rows in the source
    /// @param copyRows rows in the copy
    /// @param missing rows only the source has
    /// @param extra rows only the copy has
    /// @param different rows that both have, with another value in some column
    record Result(String table, long sourceRows, long copyRows, long missing, long extra, long different) {
        long differences() {
            return missing + extra + different;
        }
    }

    private DemoComparison() {}

    /// @throws dev.perigee.fault.PerigeeException a `SOURCE_*` fault; then nothing was compared
    static Result of(Shop.Table table, Source source, Store store) {
        SourceTable described = source.describe(table.name());
        List<String> columns =
                described.columns().stream().map(SourceColumn::name).toList();
        Pull pull = new Pull(
                described,
                columns,
                table.key(),
                new Scope.After(table.key().getFirst(), Optional.empty()),
                PAGE_ROWS,
                NumericStorage.EXACT,
                TimestampStorage.ISO);
        return store.read(LIMIT, tx -> {
            SqliteStatement copy = tx.statement("SELECT %s FROM %s ORDER BY %s"
                    .formatted(SqlNames.quoted(columns), SqlNames.quoted(table.name()), SqlNames.quoted(table.key())));
            List<Integer> key = table.key().stream().map(columns::indexOf).toList();
            try (SideBySide both = new SideBySide(copy, columns.size(), key)) {
                source.pull(pull, both);
                return both.result(table.name());
            }
        });
    }

    /// Takes the source's pages and steps through the copy in step with them.
    private static final class SideBySide implements PageSink, AutoCloseable {
        private final SqliteStatement copy;
        private final List<Integer> key;
        private final Batch batch;
        private boolean hasCopy;
        private long sourceRows;
        private long copyRows;
        private long missing;
        private long extra;
        private long different;

        SideBySide(SqliteStatement copy, int columns, List<Integer> key) {
            this.copy = copy;
            this.key = key;
            this.batch = new Batch(columns, PAGE_ROWS, 1 << 20);
            step();
        }

        @Override
        public Batch next() {
            return batch;
        }

        @Override
        public void page(Batch page, HighWaterMark end) {
            for (int row = 0; row < page.rowCount(); row++) {
                sourceRows++;
                while (hasCopy && order(page, row) > 0) {
                    extra++;
                    step();
                }
                if (!hasCopy || order(page, row) < 0) {
                    missing++;
                } else {
                    if (!isSame(page, row)) different++;
                    step();
                }
            }
            page.clear();
        }

        Result result(String table) {
            while (hasCopy) {
                extra++;
                step();
            }
            return new Result(table, sourceRows, copyRows, missing, extra, different);
        }

        @Override
        public void close() {
            batch.close();
        }

        private void step() {
            hasCopy = copy.step();
            if (hasCopy) copyRows++;
        }

        private int order(Batch page, int row) {
            for (int column : key) {
                if (!(page.value(row, column) instanceof Value.Int(long inSource))) {
                    throw new IllegalStateException("a key that is not an integer");
                }
                int order = Long.compare(inSource, copy.intAt(column));
                if (order != 0) return order;
            }
            return 0;
        }

        private boolean isSame(Batch page, int row) {
            for (int column = 0; column < page.columns(); column++) {
                if (!page.value(row, column).equals(copy.valueAt(column))) return false;
            }
            return true;
        }
    }
}
