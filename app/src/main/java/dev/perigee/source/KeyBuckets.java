package dev.perigee.source;

/// How the keys of a table are dealt out to buckets, so that two sides can be compared bucket by bucket.
///
/// A key's hash is [KeyHash] of the stored text of its first column in UTF-8, with `seed`; of each further column with
/// the hash so far as the seed. Its bucket is the hash modulo `count`. Stored text is what the copy stores: whole
/// numbers in decimal, booleans as `0` and `1`, blobs in lower hexadecimal.
///
/// @param count a power of two
/// @param seed another for each comparison, so that what hides from one is met by the next
public record KeyBuckets(int count, long seed) {
    /// Keys in a bucket, about: a bucket that differs costs an exchange of so many.
    public static final int KEYS_PER_BUCKET = 1024;

    /// Buckets at most: each takes 32 bytes of memory here, and a group of an aggregation at the source.
    public static final int MAX_COUNT = 1 << 18;

    public KeyBuckets {
        if (Integer.bitCount(count) != 1 || count < 1 || count > MAX_COUNT) {
            throw new IllegalArgumentException(count + " buckets, expected a power of two up to " + MAX_COUNT);
        }
    }

    /// As many as suit a table of `rows`.
    public static KeyBuckets forRows(long rows, long seed) {
        long wanted = Math.clamp(rows / KEYS_PER_BUCKET, 1, MAX_COUNT);
        return new KeyBuckets(Math.toIntExact(Long.highestOneBit(wanted)), seed);
    }

    public int of(long hash) {
        return (int) (hash & count - 1);
    }
}
