package dev.perigee.batch;

import dev.perigee.fault.Fault;
import java.lang.foreign.ValueLayout;

/// A set of the rowids from 1 to a greatest one, a bit for each, off the heap. Used by one thread at a time.
public final class RowidSet implements AutoCloseable {
    /// The greatest rowid there may be: 256 MiB of bits.
    public static final long MAX_ROWID = 1L << 31;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private final long greatest;
    private final Buffer bits;

    /// An empty set.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#TOO_LARGE] above [#MAX_ROWID]
    public RowidSet(long greatest) {
        if (greatest > MAX_ROWID) {
            throw Fault.TOO_LARGE.in(
                    "a set of rowids",
                    "a rowid is %d and %d is the limit".formatted(greatest, MAX_ROWID),
                    "Nothing was changed",
                    "fetch the table again, which numbers its rows anew: `perigee tables resync`");
        }
        this.greatest = greatest;
        this.bits = new Buffer((Math.max(0, greatest) / Long.SIZE + 1) * Long.BYTES);
    }

    /// Adds a rowid; one outside the range is not kept.
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
