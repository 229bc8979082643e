package dev.perigee.alarm;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Lets the scheduler sleep until somebody rings. A ring that comes while it is awake is not lost: it ends the next
/// sleep at once.
final class WakeSignal {
    /// The longest sleep. The wall clock may be set while we sleep by the monotonic clock; it is noticed at most this
    /// much later.
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

    /// Sleeps until the next ring, but at most for `wait` and [#LONGEST]. Returns at once if there was a ring since the
    /// last call, or after [#close()].
    void await(Duration wait) {
        long nanos = (wait.compareTo(LONGEST) < 0 ? wait : LONGEST).toNanos();
        lock.lock();
        try {
            while (!hasRung && !isClosed && nanos > 0) nanos = rung.awaitNanos(nanos);
            hasRung = false;
        } catch (InterruptedException _) {
            // Nobody interrupts the scheduler. An interrupt would only make it look at the alarms once more.
        } finally {
            lock.unlock();
        }
    }

    /// Sleeps for a second, whatever rings; returns at once when closed.
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
