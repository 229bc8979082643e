package dev.perigee.replication.check;

import java.util.Arrays;

/// The rowids of rows of a copy that the source did not seem to have. Counts all of them and remembers the first
/// [#MAX_REMEMBERED]. Not thread-safe.
final class Candidates {
    /// Rowids remembered at most, at eight bytes each. A sweep finds the rest by comparing again.
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

    /// The number of candidates, also of those not remembered.
    long count() {
        return count;
    }

    /// The number of candidates remembered.
    int remembered() {
        return remembered;
    }

    /// Whether some candidates were counted and not remembered.
    boolean hasMore() {
        return count > remembered;
    }

    /// At most `most` of the remembered rowids, from index `from` on, in the order they were added.
    long[] part(int from, int most) {
        return Arrays.copyOfRange(rowids, from, Math.min(remembered, from + most));
    }
}
