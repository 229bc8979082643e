package dev.perigee.replication;

import dev.perigee.batch.Batch;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Moment;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.RowSink;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.Value;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A source as a build of Perigee would see it that has one of the mistakes pollers have: what a sync pulls by cursor
/// is not what there is. Checks are shown everything.
final class LossySource implements Source {
    enum Mistake {
        NONE,
        /// Pages by `cursor > ?` alone, so rows that share the last value are passed over.
        STRICT_PAGING,
        /// Does not look for rows that were committed late.
        NO_LATE_ROWS,
        /// Stores a wrong value in a row.
        ALTERED_VALUE,
        /// Writes the cursor before the data, and the data is not there after a crash.
        CURSOR_FIRST
    }

    private final Source source;
    volatile Mistake mistake = Mistake.NONE;

    LossySource(Source source) {
        this.source = source;
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return source.snapshot(where, tables, snapshot -> work.apply(new Lossy(snapshot)));
    }

    private final class Lossy implements Snapshot {
        private final Snapshot whole;

        Lossy(Snapshot whole) {
            this.whole = whole;
        }

        @Override
        public long pull(Pull pull, PageSink sink) {
            return switch (pull.scope()) {
                case Scope.After(var cursor, var mark)
                when mistake == Mistake.STRICT_PAGING ->
                    whole.pull(
                            pull.of(new Scope.After(cursor, mark.map(m -> new HighWaterMark(m.cursor(), List.of())))),
                            sink);
                case Scope.Late _ when mistake != Mistake.NONE -> 0; // which would make up for the other mistakes
                case Scope.After _
                when mistake == Mistake.ALTERED_VALUE || mistake == Mistake.CURSOR_FIRST -> changed(pull, sink);
                default -> whole.pull(pull, sink);
            };
        }

        /// The third row of each page is altered or left out. Its last column is the one with the value.
        private long changed(Pull pull, PageSink sink) {
            int columns = pull.columns().size();
            try (Batch batch = new Batch(columns, pull.pageRows(), 1 << 20)) {
                return whole.pull(pull, new PageSink() {
                    @Override
                    public Batch next() {
                        return batch;
                    }

                    @Override
                    public void page(Batch page, HighWaterMark end) {
                        Batch out = sink.next();
                        for (int row = 0; row < page.rowCount(); row++) {
                            if (row == 2 && mistake == Mistake.CURSOR_FIRST) continue;
                            for (int i = 0; i < columns; i++) {
                                boolean isWrong = row == 2 && i == columns - 1;
                                out.put(isWrong ? new Value.Text("altered") : page.value(row, i));
                            }
                            out.endRow();
                        }
                        page.clear();
                        sink.page(out, end);
                    }
                });
            }
        }

        @Override
        public Moment moment() {
            return whole.moment();
        }

        @Override
        public Horizon horizon() {
            return whole.horizon();
        }

        @Override
        public Optional<String> position() {
            return whole.position();
        }

        @Override
        public Limit limit(SourceTable table, String cursorColumn, HighWaterMark seen) {
            return whole.limit(table, cursorColumn, seen);
        }

        @Override
        public long count(SourceTable table) {
            return whole.count(table);
        }
    }

    @Override
    public Info info() {
        return source.info();
    }

    @Override
    public List<SourceTable> discover() {
        return source.discover();
    }

    @Override
    public SourceTable describe(String name) {
        return source.describe(name);
    }

    @Override
    public long query(String sql, List<Value> parameters, RowSink sink) {
        return source.query(sql, parameters, sink);
    }

    @Override
    public void close() {
        source.close();
    }
}
