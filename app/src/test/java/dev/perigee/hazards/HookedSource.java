package dev.perigee.hazards;

import dev.perigee.batch.Batch;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Moment;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.RowSink;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.Value;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A source that lets something happen between two pages.
final class HookedSource implements Source {
    private final Source source;
    private final AtomicReference<@Nullable Runnable> hook = new AtomicReference<>();

    HookedSource(Source source) {
        this.source = source;
    }

    void onNextPage(Runnable once) {
        hook.set(once);
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
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return source.snapshot(where, tables, snapshot -> work.apply(new HookedSnapshot(snapshot)));
    }

    @Override
    public long query(String sql, List<Value> parameters, RowSink sink) {
        return source.query(sql, parameters, sink);
    }

    @Override
    public void close() {
        source.close();
    }

    private final class HookedSnapshot implements Snapshot {
        private final Snapshot snapshot;

        HookedSnapshot(Snapshot snapshot) {
            this.snapshot = snapshot;
        }

        @Override
        public Moment moment() {
            return snapshot.moment();
        }

        @Override
        public Instant asOf() {
            return snapshot.asOf();
        }

        @Override
        public Horizon horizon() {
            return snapshot.horizon();
        }

        @Override
        public Optional<String> position() {
            return snapshot.position();
        }

        @Override
        public Limit limit(SourceTable table, String cursorColumn, HighWaterMark seen) {
            return snapshot.limit(table, cursorColumn, seen);
        }

        @Override
        public long count(SourceTable table) {
            return snapshot.count(table);
        }

        @Override
        public long pull(Pull pull, PageSink sink) {
            return snapshot.pull(pull, new PageSink() {
                @Override
                public Batch next() {
                    return sink.next();
                }

                @Override
                public void page(Batch page, HighWaterMark end) {
                    sink.page(page, end);
                    Runnable once = hook.getAndSet(null);
                    if (once != null) once.run();
                }
            });
        }
    }
}
