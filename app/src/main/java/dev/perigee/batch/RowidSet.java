package dev.perigee.batch;

import dev.perigee.fault.Fault;
import java.lang.foreign.ValueLayout;

/// A bit set of rowids from 1 to a fixed greatest one, in off-heap memory. Used by one thread at a time.
public final class RowidSet implements AutoCloseable {
    /// The greatest rowid that a set can be made for; its bits take 256 MiB.
    public static final long MAX_ROWID = 1L << 31;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private final long greatest;
    private final Buffer bits;

    /// Makes an empty set.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#TOO_LARGE] if `greatest` is above [#MAX_ROWID]
    public RowidSet(long greatest) {
        if (greatest > MAX_ROWID) {
            throw Fault.TOO_LARGE.in(
                    "a set of rowids",
                    "the greatest rowid is %d, above the limit of %d".formatted(greatest, MAX_ROWID),
                    "Nothing was changed",
                    "fetch the table again, which gives its rows new rowids: `perigee tables resync`");
        }
        this.greatest = greatest;
        this.bits = new Buffer((Math.max(0, greatest) / Long.SIZE + 1) * Long.BYTES);
    }

    /// Adds a rowid; a rowid outside the range is ignored.
    public void add(long rowid) {
        if (rowid < 1 || rowid > greatest) return;
        long at = rowid / Long.SIZE * Long.BYTES;
        bits.segment().set(LONG, at, bits.segment().get(LONG, at) | 1L << rowid);
    }

    public boolean contains(long rowid) {
        if (rowid < 1 || rowid > greatest) return false;
        return (bits.segment().get(LONG, rowid / Long.SIZE * Long.BYTES) >> rowid & 1) != 0;
    }

    @Override
    public void close() {
        bits.close();
    }
}
