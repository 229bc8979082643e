package dev.perigee.replication.check;

import java.util.Arrays;

/// Rows of a copy that the source did not seem to have: all are counted, the first of them remembered. Not thread-safe.
final class Candidates {
    /// Rows remembered at most, at eight bytes each; the rest are found by comparing again.
    static final int MAX_REMEMBERED = 1 << 21;

    private long[] rowids = new long[1024];
    private int remembered;
    private long count;

    void add(long rowid) {
        count++;
        if (remembered == MAX_REMEMBERED) return;
        if (remembered == rowids.length) rowids = Arrays.copyOf(rowids, Math.min(2 * remembered, MAX_REMEMBERED));
        rowids[remembered++] = rowid;
    }

    /// All that were met.
    long count() {
        return count;
    }

    int remembered() {
        return remembered;
    }

    /// Whether there are more than are remembered.
    boolean hasMore() {
        return count > remembered;
    }

    /// The remembered ones from `from` on, at most `most` of them.
    long[] part(int from, int most) {
        return Arrays.copyOfRange(rowids, from, Math.min(remembered, from + most));
    }
}
