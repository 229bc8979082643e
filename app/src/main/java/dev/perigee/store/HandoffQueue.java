package dev.perigee.store;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A bounded queue that can be closed. A closed queue accepts nothing more; takers receive the remaining elements, then
/// null. The states full, closed and empty are decided under one lock, so no accepted element is lost.
///
/// Safe for many threads.
final class HandoffQueue<E> {
    /// The result of an offer.
    enum Offer {
        ACCEPTED,
        FULL,
        CLOSED
    }

    private final int capacity;
    private final Queue<E> elements = new ArrayDeque<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition notFull = lock.newCondition();
    private final Condition notEmpty = lock.newCondition();
    private boolean isClosed;

    HandoffQueue(int capacity) {
        this.capacity = capacity;
    }

    /// Adds `element`, waiting up to `waitNanos` for space. An interrupt does not end the wait; the interrupt flag is
    /// set again afterwards.
    Offer offer(E element, long waitNanos) {
        boolean wasInterrupted = false;
        lock.lock();
        try {
            long start = System.nanoTime();
            while (!isClosed && elements.size() >= capacity) {
                long left = waitNanos - (System.nanoTime() - start);
                if (left <= 0) return Offer.FULL;
                try {
                    notFull.awaitNanos(left);
                } catch (InterruptedException _) {
                    wasInterrupted = true;
                }
            }
            if (isClosed) return Offer.CLOSED;
            elements.add(element);
            notEmpty.signal();
            return Offer.ACCEPTED;
        } finally {
            lock.unlock();
            if (wasInterrupted) Thread.currentThread().interrupt();
        }
    }

    /// Takes the next element, waiting at most `waitNanos` for it. Returns null after that time, or when the queue is
    /// closed and empty.
    @Nullable
    E take(long waitNanos) {
        lock.lock();
        try {
            long start = System.nanoTime();
            while (!isClosed && elements.isEmpty()) {
                long left = waitNanos - (System.nanoTime() - start);
                if (left <= 0) return null;
                try {
                    notEmpty.awaitNanos(left);
                } catch (InterruptedException _) {
                    // Only our own threads take, and only close ends them.
                }
            }
            return removed();
        } finally {
            lock.unlock();
        }
    }

    /// The next element; null if there is none. Does not wait.
    @Nullable
    E poll() {
        lock.lock();
        try {
            return removed();
        } finally {
            lock.unlock();
        }
    }

    int size() {
        lock.lock();
        try {
            return elements.size();
        } finally {
            lock.unlock();
        }
    }

    boolean isDrained() {
        lock.lock();
        try {
            return isClosed && elements.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            isClosed = true;
            notFull.signalAll();
            notEmpty.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Removes and returns all remaining elements.
    List<E> drain() {
        lock.lock();
        try {
            List<E> left = new ArrayList<>(elements);
            elements.clear();
            notFull.signalAll();
            return left;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable E removed() {
        E element = elements.poll();
        if (element != null) notFull.signal();
        return element;
    }
}
