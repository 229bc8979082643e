package dev.perigee.alarm;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// What the scheduler sleeps by: a ring that comes while it is awake is not lost.
final class WakeSignal {
    /// The longest sleep. A wall clock may be set while we sleep by another; this is how late that is noticed.
    static final Duration LONGEST = Duration.ofSeconds(30);

    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition rung = lock.newCondition();
    private boolean hasRung;
    private boolean isClosed;

    void ring() {
        lock.lock();
        try {
            hasRung = true;
            rung.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Returns at the next ring, one since the last call included, or after `wait`.
    void await(Duration wait) {
        long nanos = (wait.compareTo(LONGEST) < 0 ? wait : LONGEST).toNanos();
        lock.lock();
        try {
            while (!hasRung && !isClosed && nanos > 0) nanos = rung.awaitNanos(nanos);
            hasRung = false;
        } catch (InterruptedException _) {
            // Nobody interrupts the scheduler; if somebody did, it only looks again.
        } finally {
            lock.unlock();
        }
    }

    /// Returns after a second, or at once when closed.
    void pause() {
        lock.lock();
        try {
            long nanos = PAUSE.toNanos();
            while (!isClosed && nanos > 0) nanos = rung.awaitNanos(nanos);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            isClosed = true;
            rung.signalAll();
        } finally {
            lock.unlock();
        }
    }

    boolean isClosed() {
        lock.lock();
        try {
            return isClosed;
        } finally {
            lock.unlock();
        }
    }
}
