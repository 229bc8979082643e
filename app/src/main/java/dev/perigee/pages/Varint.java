package dev.perigee.pages;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// SQLite's variable-length integers: seven bits in each byte, the highest first. A ninth byte holds eight bits.
///
/// @see <a href="https://www.sqlite.org/fileformat2.html#varint">SQLite: Database File Format, section 1.6</a>
final class Varint {
    /// Bytes of the longest one.
    static final int MAX_BYTES = 9;

    private static final int BITS = 7;
    private static final int MORE = 0x80;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private Varint() {}

    /// Number of bytes that the value takes, 1 to [#MAX_BYTES].
    static int size(long value) {
        if (value < 0) return MAX_BYTES;
        int bits = Long.SIZE - Long.numberOfLeadingZeros(value | 1);
        return Math.min(MAX_BYTES, (bits + BITS - 1) / BITS);
    }

    /// @return the offset behind it
    static long put(MemorySegment target, long at, long value) {
        int size = size(value);
        long left = value;
        long last = at + size - 1;
        if (size == MAX_BYTES) {
            target.set(BYTE, last, (byte) left);
            left >>>= Byte.SIZE;
        } else {
            target.set(BYTE, last, (byte) (left & (MORE - 1)));
            left >>>= BITS;
        }
        for (long byteAt = last - 1; byteAt >= at; byteAt--) {
            target.set(BYTE, byteAt, (byte) (left | MORE));
            left >>>= BITS;
        }
        return at + size;
    }
}
