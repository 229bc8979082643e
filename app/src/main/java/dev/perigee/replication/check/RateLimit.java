package dev.perigee.replication.check;

import java.util.concurrent.TimeUnit;

/// Keeps a stream of rows below a rate, by waiting after each portion. Used by one thread.
final class RateLimit {
    /// The clock to measure and to wait with, so that tests can replace it.
    interface Clock {
        long nanoTime();

        void sleep(long nanos) throws InterruptedException;
    }

    private static final Clock SYSTEM = new Clock() {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public void sleep(long nanos) throws InterruptedException {
            TimeUnit.NANOSECONDS.sleep(nanos);
        }
    };

    private final long rowsPerSecond;
    private final Clock clock;
    private final long startNanos;
    private long rows;

    /// @param rowsPerSecond the rate; 0 for no limit
    RateLimit(long rowsPerSecond) {
        this(rowsPerSecond, SYSTEM);
    }

    RateLimit(long rowsPerSecond, Clock clock) {
        this.rowsPerSecond = rowsPerSecond;
        this.clock = clock;
        this.startNanos = clock.nanoTime();
    }

    /// The greatest size of a portion: `otherwise`, or less at a low rate, so that no wait is much longer than a
    /// second.
    int portion(int otherwise) {
        return rowsPerSecond == 0 ? otherwise : (int) Math.max(1, Math.min(otherwise, rowsPerSecond));
    }

    /// Counts `more` rows, and blocks until the rows counted so far are no longer ahead of the rate.
    void passed(int more) throws InterruptedException {
        if (rowsPerSecond == 0) return;
        rows += more;
        long due = startNanos + (long) (rows * 1e9 / rowsPerSecond);
        long wait = due - clock.nanoTime();
        if (wait > 0) clock.sleep(wait);
    }
}
