package dev.perigee.bundled.cdc;

import java.time.Duration;

/// Wakes the threads that wait for the next commit.
final class CommitSignal {
    private long count;

    synchronized long count() {
        return count;
    }

    synchronized void wake() {
        count++;
        notifyAll();
    }

    /// Returns when there has been a commit since `seen`, or after `limit`.
    synchronized void await(long seen, Duration limit) throws InterruptedException {
        if (count == seen) wait(limit.toMillis());
    }
}
