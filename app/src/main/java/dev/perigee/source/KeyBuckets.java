package dev.perigee.source;

/// Distributes the keys of a table over buckets, so that source and copy can be compared bucket by bucket.
///
/// A key's hash is [KeyHash] of the stored text of its first column, in UTF-8, with `seed`. Each further column is
/// hashed with the result so far as its seed. The key's bucket is the hash modulo `count`. Stored text is what the copy
/// stores: integers in decimal, booleans as `0` and `1`, blobs in lower-case hexadecimal.
///
/// @param count a power of two, at most [#MAX_COUNT]
/// @param seed different in each comparison, so that a difference hidden by chance in one is found by the next
public record KeyBuckets(int count, long seed) {
    /// The approximate number of keys in a bucket. The keys of each bucket that differs are exchanged.
    public static final int KEYS_PER_BUCKET = 1024;

    /// The most buckets. Each takes 32 bytes of memory here, and a group of an aggregation at the source.
    public static final int MAX_COUNT = 1 << 18;

    public KeyBuckets {
        if (Integer.bitCount(count) != 1 || count < 1 || count > MAX_COUNT) {
            throw new IllegalArgumentException(count + " buckets, expected a power of two up to " + MAX_COUNT);
        }
    }

    /// As many buckets as suit a table of `rows` rows.
    public static KeyBuckets forRows(long rows, long seed) {
        long wanted = Math.clamp(rows / KEYS_PER_BUCKET, 1, MAX_COUNT);
        return new KeyBuckets(Math.toIntExact(Long.highestOneBit(wanted)), seed);
    }

    public int of(long hash) {
        return (int) (hash & count - 1);
    }
}
