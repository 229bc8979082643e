package dev.perigee.replication.check;

import java.util.concurrent.TimeUnit;

/// Keeps a stream of rows below a rate, by waiting after each portion. One thread's.
final class RateLimit {
    private final long rowsPerSecond;
    private final long startNanos = System.nanoTime();
    private long rows;

    /// @param rowsPerSecond 0 for no limit
    RateLimit(long rowsPerSecond) {
        this.rowsPerSecond = rowsPerSecond;
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
        long wait = due - System.nanoTime();
        if (wait > 0) TimeUnit.NANOSECONDS.sleep(wait);
    }
}
