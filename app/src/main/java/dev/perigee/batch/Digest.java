package dev.perigee.batch;

import com.dynatrace.hash4j.hashing.HashStream128;
import com.dynatrace.hash4j.hashing.HashValue128;
import com.dynatrace.hash4j.hashing.Hashing;
import java.util.Locale;
import java.util.function.IntPredicate;

/// The digest of a set of rows, in whatever order they come: the sum, modulo 2 to the power of 128, of a hash of each.
/// Equal rows give equal digests; the values count as they are stored, and numbers by their value. It shows accidents,
/// not forgery.
///
/// A row's hash is XXH3 with 128 bits, over its cells: `n` for NULL; `i` and eight bytes for a whole number; `r` and
/// eight bytes for another number; `t` or `b` and the length in four bytes for text and blobs; then the bytes of all
/// text and blobs. Numbers are little-endian. Not thread-safe.
///
/// @see <a href="https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md">XXH3</a>
public final class Digest {
    private final HashStream128 hash = Hashing.xxh3_128().hashStream();
    private long high;
    private long low;

    /// Adds the rows of `batch` that are wanted, by their number.
    public void add(Batch batch, IntPredicate isWanted) {
        for (int row = 0; row < batch.rowCount(); row++) {
            if (!isWanted.test(row)) continue;
            hash.reset();
            batch.hash(row, hash);
            add(hash.get());
        }
    }

    /// 32 hexadecimal digits.
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
