package dev.perigee.replication.sync;

import java.time.Duration;
import java.util.function.LongSupplier;

/// Decides when late rows are looked for again. While a transaction stays open for long, each search reads all rows
/// since its beginning, so searches take longer and longer. They are then done less often, and take at most a tenth of
/// the time. New rows are pulled at each sync all the same.
///
/// One instance for each table and kind of search, used by one thread at a time.
final class LatePace {
    private static final int TIMES_REST = 9;

    /// A search that took at most this long is repeated at each sync. Most of that time may be network latency to a
    /// distant source.
    private static final Duration FREE = Duration.ofSeconds(1);

    private final LongSupplier nanoTime;
    private long endedNanos;
    private long restNanos;

    LatePace() {
        this(System::nanoTime);
    }

    LatePace(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /// Whether it is time for another search.
    boolean isDue() {
        return restNanos == 0 || nanoTime.getAsLong() - endedNanos >= restNanos;
    }

    /// Records a search that ran from `startedNanos` until now.
    void looked(long startedNanos) {
        endedNanos = nanoTime.getAsLong();
        long took = endedNanos - startedNanos;
        restNanos = took <= FREE.toNanos() ? 0 : took * TIMES_REST;
    }
}
