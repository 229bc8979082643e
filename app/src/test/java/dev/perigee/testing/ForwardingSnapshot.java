package dev.perigee.testing;

import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Identity;
import dev.perigee.source.KeyBuckets;
import dev.perigee.source.KeyDigests;
import dev.perigee.source.Moment;
import dev.perigee.source.Obstacle;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.Snapshot;
import dev.perigee.source.SourceTable;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.VisibleTransactions;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Another snapshot, all of it: a test changes the one thing that it is about. What is left to the contract's defaults
/// would be a source that can less than the real one.
public class ForwardingSnapshot implements Snapshot {
    private final Snapshot snapshot;

    protected ForwardingSnapshot(Snapshot snapshot) {
        this.snapshot = snapshot;
    }

    @Override
    public Moment moment() {
        return snapshot.moment();
    }

    @Override
    public Optional<Instant> asOf() {
        return snapshot.asOf();
    }

    @Override
    public Horizon horizon() {
        return snapshot.horizon();
    }

    @Override
    public Optional<String> viewer(SourceTable table) {
        return snapshot.viewer(table);
    }

    @Override
    public Optional<SourceVersion> version() {
        return snapshot.version();
    }

    @Override
    public Optional<String> position() {
        return snapshot.position();
    }

    @Override
    public Optional<VisibleTransactions> visible() {
        return snapshot.visible();
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
    public List<Integer> absent(
            SourceTable table,
            List<String> key,
            Set<String> spelled,
            List<List<String>> keys,
            Optional<List<String>> from,
            Optional<List<String>> upTo) {
        return snapshot.absent(table, key, spelled, keys, from, upTo);
    }

    @Override
    public long count(SourceTable table) {
        return snapshot.count(table);
    }

    @Override
    public Optional<KeyDigests> keyDigests(Pull keys, KeyBuckets buckets) {
        return snapshot.keyDigests(keys, buckets);
    }

    @Override
    public List<Obstacle> obstacles(SourceTable table) {
        return snapshot.obstacles(table);
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
    public boolean isAsDescribed(SourceTable table) {
        return snapshot.isAsDescribed(table);
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
