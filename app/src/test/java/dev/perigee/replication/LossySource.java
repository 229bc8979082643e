package dev.perigee.replication;

import dev.perigee.batch.Batch;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.Value;
import dev.perigee.testing.ForwardingSnapshot;
import dev.perigee.testing.ForwardingSource;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A source as a build of Perigee would see it that has one of the mistakes pollers have: what a sync pulls by cursor
/// is not what there is. Checks are shown everything.
final class LossySource extends ForwardingSource {
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

    volatile Mistake mistake = Mistake.NONE;

    LossySource(Source source) {
        super(source);
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return super.snapshot(where, tables, snapshot -> work.apply(new Lossy(snapshot)));
    }

    private final class Lossy extends ForwardingSnapshot {
        Lossy(Snapshot whole) {
            super(whole);
        }

        @Override
        public long pull(Pull pull, PageSink sink) {
            return switch (pull.scope()) {
                case Scope.After(var cursor, var mark)
                when mistake == Mistake.STRICT_PAGING ->
                    super.pull(
                            pull.of(new Scope.After(cursor, mark.map(m -> new HighWaterMark(m.cursor(), List.of())))),
                            sink);
                case Scope.Late _ when mistake != Mistake.NONE -> 0; // which would make up for the other mistakes
                case Scope.After _
                when mistake == Mistake.ALTERED_VALUE || mistake == Mistake.CURSOR_FIRST -> changed(pull, sink);
                default -> super.pull(pull, sink);
            };
        }

        /// The third row of each page is altered or left out. Its last column is the one with the value.
        private long changed(Pull pull, PageSink sink) {
            int columns = pull.columns().size();
            try (Batch batch = new Batch(columns, pull.pageRows(), 1 << 20)) {
                return super.pull(pull, new PageSink() {
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
    }
}
