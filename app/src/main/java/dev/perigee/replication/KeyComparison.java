package dev.perigee.replication;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.source.Identity;
import dev.perigee.source.KeyBuckets;
import dev.perigee.source.KeyDigests;
import dev.perigee.source.Moment;
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

/// Finds the rows of a copy that the source does not have, while syncs go on. What it finds are candidates: rows that
/// were written meanwhile may be among them.
///
/// First the copy's keys are counted by bucket, then the source's, in a snapshot. Only keys of buckets that differ are
/// sent, in the same snapshot, and looked up in the copy. Where the source cannot count them, or very many differ, all
/// keys are sent: beside a copy whose rowid is its key both sides are read in one order, and nothing is kept in memory;
/// beside any other the rows that were found are kept as bits, since SQLite has numbered those rows without gaps.
///
/// Rows numbered after the snapshot began are no candidates: they came later. Used once, by one thread.
final class KeyComparison {
    /// Keys sent by bucket at most, at eight bytes each; if there are more, all keys are sent.
    static final int MAX_EXCHANGED = 1 << 20;

    /// How far apart the rowids of a copy may be, at one bit each.
    static final long MAX_ROWID_SPAN = 400_000_000;

    private static final int PAGE_ROWS = 10_000;

    /// @param compared rows of the copy
    /// @param exchanged keys that the source sent
    /// @param missing keys of those that the copy did not have
    /// @param identity see [Snapshot#identity]
    record Found(
            Candidates candidates,
            long compared,
            long exchanged,
            long missing,
            Moment moment,
            Optional<String> position,
            Optional<Identity> identity) {}

    /// What remains to be looked at in the copy.
    ///
    /// @param wanted buckets to look at; empty for all
    /// @param isFound whether the source has the row
    private record Rest(Optional<BitSet> wanted, LongPredicate isFound) {}

    private final Source source;
    private final CheckedCopy copy;
    private final CopyKeys keys;
    private final KeyBuckets buckets;
    private final Cancellation cancellation;
    private final Candidates candidates = new Candidates();
    private long exchanged;
    private long missing;
    private long first;
    private long last;

    KeyComparison(Source source, CheckedCopy copy, CopyKeys keys, long seed, Cancellation cancellation) {
        this.source = source;
        this.copy = copy;
        this.keys = keys;
        this.buckets = KeyBuckets.forRows(copy.state().rowCount(), seed);
        this.cancellation = cancellation;
    }

    Found run() {
        KeyDigests ours = keys.digests(buckets);
        long[] range = keys.range();
        first = range[0];
        last = range[1];
        Found[] found = new Found[1];
        Optional<Rest> rest = source.snapshot(copy.where(), List.of(copy.table().id()), snapshot -> {
            Optional<Rest> left = exchange(snapshot, ours);
            found[0] = new Found(
                    candidates,
                    ours.keys(),
                    exchanged,
                    missing,
                    snapshot.moment(),
                    snapshot.position(),
                    snapshot.identity(copy.table()));
            return left;
        });
        rest.ifPresent(this::look);
        return found[0];
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
        RowidList found = new RowidList();
        send(snapshot, new Scope.InBuckets(buckets, differing), page -> missing += keys.find(page, found::add));
        return new Rest(Optional.of(differing), found.sorted());
    }

    private Rest all(Snapshot snapshot) {
        if (last - first >= MAX_ROWID_SPAN) {
            throw Fault.TOO_LARGE.in(
                    copy.where(),
                    "the rows of its copy are numbered from %d to %d, and a sweep that has to see all keys takes %d numbers"
                            .formatted(first, last, MAX_ROWID_SPAN),
                    "Nothing was deleted");
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
        if (rest.wanted().isEmpty()) {
            keys.rowids(first, last, rowid -> candidate(rowid, rest));
            return;
        }
        BitSet wanted = rest.wanted().get();
        keys.hashed(first, last, buckets, (rowid, hash) -> {
            if (wanted.get(buckets.of(hash))) candidate(rowid, rest);
        });
    }

    private void candidate(long rowid, Rest rest) {
        if (!rest.isFound().test(rowid)) candidates.add(rowid);
    }

    /// Both sides in the order of the key, which is the rowid here.
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

    /// Rowids, at most as many as keys are sent by bucket.
    private static final class RowidList {
        private long[] rowids = new long[1024];
        private int size;

        void add(long rowid) {
            if (size == rowids.length) rowids = Arrays.copyOf(rowids, 2 * size);
            rowids[size++] = rowid;
        }

        LongPredicate sorted() {
            Arrays.sort(rowids, 0, size);
            return rowid -> Arrays.binarySearch(rowids, 0, size, rowid) >= 0;
        }
    }
}
