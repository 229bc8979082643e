package dev.perigee.batch;

import com.dynatrace.hash4j.hashing.HashStream128;
import com.dynatrace.hash4j.hashing.HashValue128;
import com.dynatrace.hash4j.hashing.Hashing;
import java.util.Locale;
import java.util.function.IntPredicate;

/// The digest of a set of rows, in any order: the sum of the rows' hashes, modulo 2 to the power of 128. Equal sets of
/// rows give equal digests. Values count as they are stored, except that 1 and 1.0 are the same number. It detects
/// accidental differences, not forgery.
///
/// A row's hash is XXH3 with 128 bits over its cells. NULL is `n`; a whole number is `i` and eight bytes; any other
/// number is `r` and eight bytes. Text is `t` and a blob is `b`, each with its length in four bytes. After the cells
/// come the bytes of all texts and blobs. Numbers are little-endian. Not thread-safe.
///
/// @see <a href="https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md">XXH3</a>
public final class Digest {
    private final HashStream128 hash = Hashing.xxh3_128().hashStream();
    private long high;
    private long low;

    /// Adds those rows of `batch` whose index, counted from 0, passes `isWanted`.
    public void add(Batch batch, IntPredicate isWanted) {
        for (int row = 0; row < batch.rowCount(); row++) {
            if (!isWanted.test(row)) continue;
            hash.reset();
            batch.hash(row, hash);
            add(hash.get());
        }
    }

    /// The digest of the rows added so far, as 32 hexadecimal digits.
    public String text() {
        return "%016x%016x".formatted(high, low).toLowerCase(Locale.ROOT);
    }

    private void add(HashValue128 row) {
        long sum = low + row.getLeastSignificantBits();
        boolean carries = Long.compareUnsigned(sum, low) < 0;
        low = sum;
        high += row.getMostSignificantBits() + (carries ? 1 : 0);
    }
}
