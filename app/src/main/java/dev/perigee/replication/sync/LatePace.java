package dev.perigee.replication.sync;

import java.time.Duration;
import java.util.function.LongSupplier;

/// When late rows are looked for again. While a transaction stays open for long, all rows since its beginning are
/// looked through each time, so this takes ever longer; it is then done less often, and never for more than a tenth of
/// the time. What is new is pulled at each sync all the same. One table's; used by one thread at a time.
final class LatePace {
    private static final int TIMES_REST = 9;

    /// Up to this long, it is looked at each sync: much of it may be the way to a source far away.
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

    /// Whether it is time to look.
    boolean isDue() {
        return restNanos == 0 || nanoTime.getAsLong() - endedNanos >= restNanos;
    }

    /// It was looked, from `startedNanos` until now.
    void looked(long startedNanos) {
        endedNanos = nanoTime.getAsLong();
        long took = endedNanos - startedNanos;
        restNanos = took <= FREE.toNanos() ? 0 : took * TIMES_REST;
    }
}
