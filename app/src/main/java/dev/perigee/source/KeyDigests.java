package dev.perigee.source;

import java.util.Arrays;
import java.util.BitSet;

/// For each bucket, the number of its keys and the sum of their hashes modulo 2^64. Two different sets of keys have the
/// same digest by chance once in 2^64. Not thread-safe.
public final class KeyDigests {
    private final KeyBuckets buckets;
    private final long[] counts;
    private final long[] sums;

    public KeyDigests(KeyBuckets buckets) {
        this.buckets = buckets;
        this.counts = new long[buckets.count()];
        this.sums = new long[buckets.count()];
    }

    /// Adds one key.
    public void add(long hash) {
        add(buckets.of(hash), 1, hash);
    }

    /// Adds `count` keys of one bucket, whose hashes add up to `sum`.
    public void add(int bucket, long count, long sum) {
        counts[bucket] += count;
        sums[bucket] += sum;
    }

    /// The number of keys in all buckets.
    public long keys() {
        return Arrays.stream(counts).sum();
    }

    /// The number of keys in the buckets `wanted`.
    public long keysIn(BitSet wanted) {
        long keys = 0;
        for (int bucket = wanted.nextSetBit(0); bucket >= 0; bucket = wanted.nextSetBit(bucket + 1)) {
            keys += counts[bucket];
        }
        return keys;
    }

    /// The buckets in which `other`, which must use the same buckets, has other keys.
    public BitSet differing(KeyDigests other) {
        if (!buckets.equals(other.buckets)) throw new IllegalArgumentException("digests of different buckets");
        BitSet differing = new BitSet(counts.length);
        for (int bucket = 0; bucket < counts.length; bucket++) {
            if (counts[bucket] != other.counts[bucket] || sums[bucket] != other.sums[bucket]) differing.set(bucket);
        }
        return differing;
    }
}
