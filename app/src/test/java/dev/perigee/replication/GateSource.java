package dev.perigee.replication;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.TableId;
import dev.perigee.testing.ForwardingSnapshot;
import dev.perigee.testing.ForwardingSource;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Another source, which breaks off or holds pulls of one kind at will.
public final class GateSource extends ForwardingSource {
    private final Class<? extends Scope> kind;

    /// Pages after which such a pull breaks off; negative for never.
    volatile int breakAfter = -1;

    /// Whether such pulls wait at [#gate] before they begin.
    public volatile boolean isHeld;

    public final Semaphore gate = new Semaphore(0);
    public final AtomicInteger waiting = new AtomicInteger();

    public GateSource(Source source, Class<? extends Scope> kind) {
        super(source);
        this.kind = kind;
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return super.snapshot(where, tables, snapshot -> work.apply(new Gated(snapshot)));
    }

    private final class Gated extends ForwardingSnapshot {
        Gated(Snapshot snapshot) {
            super(snapshot);
        }

        @Override
        public long pull(Pull pull, PageSink sink) {
            if (!kind.isInstance(pull.scope())) return super.pull(pull, sink);
            waiting.incrementAndGet();
            if (isHeld) {
                try {
                    gate.acquire();
                } catch (InterruptedException e) {
                    throw Fault.SOURCE_UNREACHABLE.in("the gate", "it was interrupted", "Nothing was read", e);
                }
            }
            return breakAfter < 0 ? super.pull(pull, sink) : super.pull(pull, breaking(sink));
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
}
