package dev.perigee.hazards;

import dev.perigee.batch.Batch;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.TableId;
import dev.perigee.testing.ForwardingSnapshot;
import dev.perigee.testing.ForwardingSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A source that lets something happen between two pages.
final class HookedSource extends ForwardingSource {
    private final AtomicReference<@Nullable Runnable> hook = new AtomicReference<>();

    HookedSource(Source source) {
        super(source);
    }

    void onNextPage(Runnable once) {
        hook.set(once);
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return super.snapshot(where, tables, snapshot -> work.apply(new HookedSnapshot(snapshot)));
    }

    private final class HookedSnapshot extends ForwardingSnapshot {
        HookedSnapshot(Snapshot snapshot) {
            super(snapshot);
        }

        @Override
        public long pull(Pull pull, PageSink sink) {
            return super.pull(pull, new PageSink() {
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

                @Override
                public void refused(RefusedRow row) {
                    sink.refused(row);
                }
            });
        }
    }
}
