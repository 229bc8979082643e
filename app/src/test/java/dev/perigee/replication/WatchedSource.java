package dev.perigee.replication;

import dev.perigee.source.KeyBuckets;
import dev.perigee.source.KeyDigests;
import dev.perigee.source.Pull;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.TableId;
import dev.perigee.testing.ForwardingSnapshot;
import dev.perigee.testing.ForwardingSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A real source with something done to it before one of its snapshots, or one that cannot count keys.
final class WatchedSource extends ForwardingSource {
    private final AtomicInteger left = new AtomicInteger(-1);
    private volatile Runnable action = () -> {};

    /// Whether keys have to be sent, because the source cannot count them.
    volatile boolean isUncounted;

    WatchedSource(Source source) {
        super(source);
    }

    /// Has `action` done after `snapshots` more of them, before the next begins.
    void after(int snapshots, Runnable action) {
        this.action = action;
        left.set(snapshots);
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        if (left.getAndDecrement() == 0) action.run();
        return super.snapshot(where, tables, snapshot -> work.apply(new Watched(snapshot)));
    }

    private final class Watched extends ForwardingSnapshot {
        Watched(Snapshot snapshot) {
            super(snapshot);
        }

        @Override
        public Optional<KeyDigests> keyDigests(Pull keys, KeyBuckets buckets) {
            return isUncounted ? Optional.empty() : super.keyDigests(keys, buckets);
        }
    }
}
