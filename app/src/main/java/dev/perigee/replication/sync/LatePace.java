package dev.perigee.replication.sync;

import java.time.Duration;

/// When late rows are looked for again. While a transaction stays open for long, all rows since its beginning are
/// looked through each time, so this takes ever longer; it is then done less often, and never for more than a tenth of
/// the time. What is new is pulled at each sync all the same. One table's; used by one thread at a time.
final class LatePace {
    private static final int TIMES_REST = 9;

    /// Up to this long, it is looked at each sync: much of it may be the way to a source far away.
    private static final Duration FREE = Duration.ofSeconds(1);

    private long endedNanos;
    private long restNanos;

    /// Whether it is time to look.
    boolean isDue() {
        return restNanos == 0 || System.nanoTime() - endedNanos >= restNanos;
    }

    /// It was looked, from `startedNanos` until now.
    void looked(long startedNanos) {
        endedNanos = System.nanoTime();
        long took = endedNanos - startedNanos;
        restNanos = took <= FREE.toNanos() ? 0 : took * TIMES_REST;
    }
}
