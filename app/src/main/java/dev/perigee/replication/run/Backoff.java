package dev.perigee.replication.run;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// Exponential backoff with jitter: how long a failing table waits before its next try. The delay doubles from `first`
/// up to `max`. The wait is a random time between half of the delay and all of it, so that tables which failed together
/// are not retried together.
///
/// A failure that is not retryable waits `max` from the first time on. It is still tried again, because somebody may
/// repair the cause at the source.
record Backoff(Duration first, Duration max, RandomGenerator random) {
    /// After so many doublings every sensible `first` has passed `max`. Keeps the shift from overflowing.
    private static final int MAX_DOUBLINGS = 30;

    /// @param failures failed syncs in a row, at least 1
    Duration delay(int failures, boolean isRetryable) {
        Duration full = isRetryable ? first.multipliedBy(1L << Math.min(failures - 1, MAX_DOUBLINGS)) : max;
        if (full.compareTo(max) > 0) full = max;
        long millis = Math.max(1, full.toMillis());
        return Duration.ofMillis(millis / 2 + random.nextLong(millis - millis / 2 + 1));
    }
}
