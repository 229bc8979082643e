package dev.perigee.replication;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Moment;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.RowSink;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.Value;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Another source, which breaks off or holds pulls of one kind at will.
final class GateSource implements Source {
    private final Source source;
    private final Class<? extends Scope> kind;

    /// Pages after which such a pull breaks off; negative for never.
    volatile int breakAfter = -1;

    /// Whether such pulls wait at [#gate] before they begin.
    volatile boolean isHeld;

    final Semaphore gate = new Semaphore(0);
    final AtomicInteger waiting = new AtomicInteger();

    GateSource(Source source, Class<? extends Scope> kind) {
        this.source = source;
        this.kind = kind;
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return source.snapshot(where, tables, snapshot -> work.apply(new Gated(snapshot)));
    }

    private final class Gated implements Snapshot {
        private final Snapshot snapshot;

        Gated(Snapshot snapshot) {
            this.snapshot = snapshot;
        }

        @Override
        public long pull(Pull pull, PageSink sink) {
            if (!kind.isInstance(pull.scope())) return snapshot.pull(pull, sink);
            waiting.incrementAndGet();
            if (isHeld) {
                try {
                    gate.acquire();
                } catch (InterruptedException e) {
                    throw Fault.SOURCE_UNREACHABLE.in("the gate", "it was interrupted", "Nothing was read", e);
                }
            }
            return breakAfter < 0 ? snapshot.pull(pull, sink) : snapshot.pull(pull, breaking(sink));
        }

        @Override
        public List<Integer> absent(
                SourceTable table,
                List<String> key,
                List<List<String>> keys,
                Optional<List<String>> from,
                Optional<List<String>> upTo) {
            return snapshot.absent(table, key, keys, from, upTo);
        }

        @Override
        public Moment moment() {
            return snapshot.moment();
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
    }

    private PageSink breaking(PageSink sink) {
        return new PageSink() {
            private int pages;

            @Override
            public Batch next() {
                if (pages == breakAfter) {
                    throw Fault.SOURCE_UNREACHABLE.in("the gate", "it broke off", "What was read before is kept");
                }
                return sink.next();
            }

            @Override
            public void page(Batch page, HighWaterMark end) {
                pages++;
                sink.page(page, end);
            }

            @Override
            public void refused(RefusedRow row) {
                sink.refused(row);
            }
        };
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
