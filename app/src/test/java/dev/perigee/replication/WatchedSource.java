package dev.perigee.replication;

import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Identity;
import dev.perigee.source.KeyBuckets;
import dev.perigee.source.KeyDigests;
import dev.perigee.source.Moment;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.RowSink;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.Value;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A real source with something done to it before one of its snapshots, or one that cannot count keys.
final class WatchedSource implements Source {
    private final Source source;
    private final AtomicInteger left = new AtomicInteger(-1);
    private volatile Runnable action = () -> {};

    /// Whether keys have to be sent, because the source cannot count them.
    volatile boolean isUncounted;

    WatchedSource(Source source) {
        this.source = source;
    }

    /// Has `action` done after `snapshots` more of them, before the next begins.
    void after(int snapshots, Runnable action) {
        this.action = action;
        left.set(snapshots);
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        if (left.getAndDecrement() == 0) action.run();
        return source.snapshot(where, tables, snapshot -> work.apply(new Watched(snapshot)));
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

    private final class Watched implements Snapshot {
        private final Snapshot snapshot;

        Watched(Snapshot snapshot) {
            this.snapshot = snapshot;
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
        public long pull(Pull pull, PageSink sink) {
            return snapshot.pull(pull, sink);
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
        public Optional<KeyDigests> keyDigests(Pull keys, KeyBuckets buckets) {
            return isUncounted ? Optional.empty() : snapshot.keyDigests(keys, buckets);
        }

        @Override
        public Optional<Identity> identity(SourceTable table) {
            return snapshot.identity(table);
        }

        @Override
        public Optional<Boolean> continues(Identity earlier) {
            return snapshot.continues(earlier);
        }

        @Override
        public Optional<Boolean> keepsRowsOf(SourceTable table, Identity earlier, long part) {
            return snapshot.keepsRowsOf(table, earlier, part);
        }

        @Override
        public Optional<HighWaterMark> greatest(SourceTable table, String cursorColumn, List<String> key) {
            return snapshot.greatest(table, cursorColumn, key);
        }

        @Override
        public boolean isBehind(SourceTable table, String cursorColumn, HighWaterMark seen) {
            return snapshot.isBehind(table, cursorColumn, seen);
        }
    }
}
