package dev.perigee.replication.run;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// How long a failing table waits before it is tried again: doubling from `first` to `max`, each time between half of
/// that and all of it, so that tables that failed together do not come back together.
///
/// What no retry can mend waits `max` at once. It is still tried, because somebody may mend it at the source.
record Backoff(Duration first, Duration max, RandomGenerator random) {
    /// Doublings after which no sensible `first` is below `max` any more.
    private static final int MAX_DOUBLINGS = 30;

    /// @param failures failed syncs in a row, at least 1
    Duration delay(int failures, boolean isRetryable) {
        Duration full = isRetryable ? first.multipliedBy(1L << Math.min(failures - 1, MAX_DOUBLINGS)) : max;
        if (full.compareTo(max) > 0) full = max;
        long millis = Math.max(1, full.toMillis());
        return Duration.ofMillis(millis / 2 + random.nextLong(millis - millis / 2 + 1));
    }
}
