package dev.perigee.source;

/// The hash that distributes keys over buckets, on both sides: PostgreSQL's `hash_bytes_extended`, which is Bob
/// Jenkins' lookup3 with a 64-bit seed. It was chosen because PostgreSQL computes it in a statement
/// (`hashtextextended`) and cannot change it, because existing hash partitions are laid out by it.
///
/// @see <a href="https://github.com/postgres/postgres/blob/REL_18_STABLE/src/common/hashfn.c">hashfn.c</a>
public final class KeyHash {
    private static final int START = 0x9e3779b9 + 3923095;
    private static final int BLOCK = 12;

    private KeyHash() {}

    /// The hash of `length` bytes from `offset` on. For a key of several columns, the hash of one column is the seed of
    /// the next.
    public static long of(byte[] bytes, int offset, int length, long seed) {
        int a = START + length;
        int b = a;
        int c = a;
        int at = offset;
        int left = length;
        boolean isSeeded = seed != 0;
        if (isSeeded) {
            a += (int) (seed >>> 32);
            b += (int) seed;
        }
        while (isSeeded || left >= BLOCK) {
            if (!isSeeded) {
                a += word(bytes, at, 4);
                b += word(bytes, at + 4, 4);
                c += word(bytes, at + 8, 4);
                at += BLOCK;
                left -= BLOCK;
            }
            isSeeded = false;
            a = a - c ^ Integer.rotateLeft(c, 4);
            c += b;
            b = b - a ^ Integer.rotateLeft(a, 6);
            a += c;
            c = c - b ^ Integer.rotateLeft(b, 8);
            b += a;
            a = a - c ^ Integer.rotateLeft(c, 16);
            c += b;
            b = b - a ^ Integer.rotateLeft(a, 19);
            a += c;
            c = c - b ^ Integer.rotateLeft(b, 4);
            b += a;
        }
        // The lowest byte of the last word is reserved for the length, which START has counted in already.
        a += word(bytes, at, Math.min(left, 4));
        b += word(bytes, at + 4, Math.min(left - 4, 4));
        c += word(bytes, at + 8, left - 8) << 8;
        return last(a, b, c);
    }

    private static long last(int first, int second, int third) {
        int a = first;
        int b = second;
        int c = (third ^ b) - Integer.rotateLeft(b, 14);
        a = (a ^ c) - Integer.rotateLeft(c, 11);
        b = (b ^ a) - Integer.rotateLeft(a, 25);
        c = (c ^ b) - Integer.rotateLeft(b, 16);
        a = (a ^ c) - Integer.rotateLeft(c, 4);
        b = (b ^ a) - Integer.rotateLeft(a, 14);
        c = (c ^ b) - Integer.rotateLeft(b, 24);
        return (long) b << 32 | c & 0xffff_ffffL;
    }

    /// Up to four bytes as a little-endian number; 0 for none.
    private static int word(byte[] bytes, int at, int count) {
        int word = 0;
        for (int i = 0; i < count; i++) word |= (bytes[at + i] & 0xff) << 8 * i;
        return word;
    }
}
