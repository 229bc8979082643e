package dev.perigee.replication.check;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.copy.PageByPage;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.source.Identity;
import dev.perigee.source.KeyBuckets;
import dev.perigee.source.KeyDigests;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.sqlite.Value;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

/// Finds the rows of a copy that the source does not have, while syncs go on. The rows found are only candidates,
/// because some may have been written meanwhile.
///
/// First the copy's keys are hashed and counted by bucket, then the source counts its own in a snapshot. In the same
/// snapshot the source sends only the keys of buckets that differ, and their hashes are kept.
///
/// The source sends all keys if it cannot count them, or if more than [#MAX_EXCHANGED] would have to be sent. If the
/// copy's key is its rowid, both sides are then read in the same order and merged, with nothing kept in memory.
/// Otherwise each key is looked up in the copy, and one bit per rowid is kept for the rows that were found. SQLite
/// assigned those rowids itself, so they lie close together.
///
/// Rows with a rowid above the copy's greatest one at the start are not candidates: they were inserted later. Used
/// once, by one thread.
final class KeyComparison {
    /// Keys sent by bucket at most; each takes eight bytes here. If there are more, the source sends all keys.
    static final int MAX_EXCHANGED = 1 << 22;

    /// How far apart the smallest and the greatest rowid may be when a bit is kept for each rowid.
    static final long MAX_ROWID_SPAN = 400_000_000;

    private static final int PAGE_ROWS = 10_000;

    /// What the comparison found.
    ///
    /// @param compared the number of rows of the copy that were compared
    /// @param exchanged the number of keys that the source sent
    /// @param missing the number of these keys that the copy did not have
    /// @param identity see [Snapshot#identity]
    record Found(
            Candidates candidates,
            long compared,
            long exchanged,
            long missing,
            SnapshotTime snapshot,
            Optional<Identity> identity) {}

    /// The part of the copy that is left to look at after the snapshot was closed.
    ///
    /// @param wanted the buckets to look at; empty for all rows
    /// @param isFound whether the source has a row: given the hash of its key if `wanted` is set, else its rowid
    private record Rest(Optional<BitSet> wanted, LongPredicate isFound) {}

    private record Seen(Optional<Rest> rest, SnapshotTime snapshot, Optional<Identity> identity) {}

    private final Source source;
    private final CheckTarget copy;
    private final CopyKeys keys;
    private final KeyBuckets buckets;
    private final SyncCancellation cancellation;
    private final Candidates candidates = new Candidates();
    private long exchanged;
    private long missing;
    private long first;
    private long last;

    KeyComparison(Source source, CheckTarget copy, CopyKeys keys, long seed, SyncCancellation cancellation) {
        this.source = source;
        this.copy = copy;
        this.keys = keys;
        this.buckets = KeyBuckets.forRows(copy.state().copy().rows(), seed);
        this.cancellation = cancellation;
    }

    /// Compares the keys of both sides. Called once; blocks until it is done.
    Found run() {
        KeyDigests ours = keys.digests(buckets);
        long[] range = keys.range();
        first = range[0];
        last = range[1];
        Seen seen = source.snapshot(
                copy.where(),
                List.of(copy.table().id()),
                snapshot ->
                        new Seen(exchange(snapshot, ours), SnapshotTime.of(snapshot), snapshot.identity(copy.table())));
        seen.rest().ifPresent(this::look);
        return new Found(candidates, ours.keys(), exchanged, missing, seen.snapshot(), seen.identity());
    }

    private Optional<Rest> exchange(Snapshot snapshot, KeyDigests ours) {
        if (ours.keys() == 0) return Optional.empty();
        Optional<KeyDigests> theirs = snapshot.keyDigests(pull(new Scope.Changed(Optional.empty())), buckets);
        cancellation.check();
        if (theirs.isPresent()) {
            BitSet differing = ours.differing(theirs.get());
            if (differing.isEmpty()) return Optional.empty();
            long keysToSend = theirs.get().keysIn(differing);
            if (keysToSend <= MAX_EXCHANGED) return Optional.of(byBucket(snapshot, differing));
        }
        if (copy.isKeyRowid()) {
            merge(snapshot);
            return Optional.empty();
        }
        return Optional.of(all(snapshot));
    }

    private Rest byBucket(Snapshot snapshot, BitSet differing) {
        Hashes sent = new Hashes();
        send(snapshot, new Scope.InBuckets(buckets, differing), page -> {
            for (int row = 0; row < page.rowCount(); row++) sent.add(keys.hash(page, row, buckets));
        });
        return new Rest(Optional.of(differing), sent.sorted());
    }

    private Rest all(Snapshot snapshot) {
        if (last - first >= MAX_ROWID_SPAN) {
            throw Fault.TOO_LARGE.in(
                    copy.where(),
                    "the rowids of its copy range from %d to %d, and a sweep that compares all keys can handle a range of %d"
                            .formatted(first, last, MAX_ROWID_SPAN),
                    "Nothing was deleted",
                    Remedies.resync(copy.config().name()) + ", which assigns new rowids");
        }
        BitSet found = new BitSet((int) (last - first + 1));
        send(
                snapshot,
                new Scope.Changed(Optional.empty()),
                page -> missing += keys.find(page, rowid -> {
                    if (rowid >= first && rowid <= last) found.set((int) (rowid - first));
                }));
        return new Rest(Optional.empty(), rowid -> found.get((int) (rowid - first)));
    }

    private void look(Rest rest) {
        LongPredicate isFound = rest.isFound();
        if (rest.wanted().isEmpty()) {
            keys.rowids(first, last, rowid -> {
                if (!isFound.test(rowid)) candidates.add(rowid);
            });
            return;
        }
        BitSet wanted = rest.wanted().get();
        missing = exchanged;
        keys.hashed(Long.MIN_VALUE, Long.MAX_VALUE, buckets, (rowid, hash) -> {
            if (!wanted.get(buckets.of(hash))) return;
            if (isFound.test(hash)) missing--;
            else if (rowid <= last) candidates.add(rowid);
        });
    }

    /// Merges both sides in the order of the key, which is the rowid here.
    private void merge(Snapshot snapshot) {
        long[] next = {first};
        boolean[] isOver = {false};
        send(snapshot, new Scope.ByKey(Optional.empty(), Optional.empty()), page -> {
            long to = key(page, page.rowCount() - 1);
            int[] at = {0};
            keys.rowids(next[0], to, rowid -> {
                while (at[0] < page.rowCount() && key(page, at[0]) < rowid) {
                    at[0]++;
                    missing++;
                }
                if (at[0] < page.rowCount() && key(page, at[0]) == rowid) at[0]++;
                else if (rowid <= last) candidates.add(rowid);
            });
            missing += page.rowCount() - at[0];
            isOver[0] = to >= last;
            next[0] = to == Long.MAX_VALUE ? to : Math.max(to + 1, first);
        });
        if (!isOver[0]) keys.rowids(next[0], last, candidates::add);
    }

    private static long key(Batch page, int row) {
        if (page.value(row, 0) instanceof Value.Int(long number)) return number;
        throw new IllegalStateException("a whole number came as something else");
    }

    private void send(Snapshot snapshot, Scope scope, Consumer<Batch> work) {
        try (PageByPage pages = new PageByPage(copy.definition().key().size(), PAGE_ROWS, page -> {
            cancellation.check();
            exchanged += page.rowCount();
            work.accept(page);
        })) {
            snapshot.pull(pull(scope), pages);
        }
    }

    private Pull pull(Scope scope) {
        return copy.pullKeys(scope, PAGE_ROWS);
    }

    /// Hashes of the keys that were sent by bucket. A row whose key has by chance the same hash as another key is
    /// missed by this comparison only: the next one uses another seed.
    private static final class Hashes {
        private long[] hashes = new long[1024];
        private int size;

        void add(long hash) {
            if (size == hashes.length) hashes = Arrays.copyOf(hashes, 2 * size);
            hashes[size++] = hash;
        }

        LongPredicate sorted() {
            Arrays.sort(hashes, 0, size);
            return hash -> Arrays.binarySearch(hashes, 0, size, hash) >= 0;
        }
    }
}
