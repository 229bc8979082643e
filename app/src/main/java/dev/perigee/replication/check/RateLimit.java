package dev.perigee.replication.check;

import java.util.concurrent.TimeUnit;

/// Keeps a stream of rows below a rate, by waiting after each portion. One thread's.
final class RateLimit {
    /// How time passes.
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

    /// @param rowsPerSecond 0 for no limit
    RateLimit(long rowsPerSecond) {
        this(rowsPerSecond, SYSTEM);
    }

    RateLimit(long rowsPerSecond, Clock clock) {
        this.rowsPerSecond = rowsPerSecond;
        this.clock = clock;
        this.startNanos = clock.nanoTime();
    }

    /// Rows in a portion at most, so that no wait is longer than a second or so.
    int portion(int otherwise) {
        return rowsPerSecond == 0 ? otherwise : (int) Math.max(1, Math.min(otherwise, rowsPerSecond));
    }

    /// Waits as long as `more` rows are ahead of the rate.
    void passed(int more) throws InterruptedException {
        if (rowsPerSecond == 0) return;
        rows += more;
        long due = startNanos + (long) (rows * 1e9 / rowsPerSecond);
        long wait = due - clock.nanoTime();
        if (wait > 0) clock.sleep(wait);
    }
}
