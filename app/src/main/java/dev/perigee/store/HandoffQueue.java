package dev.perigee.store;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A bounded queue that can be closed: then nothing comes in any more, and takers get what is left and then null. Full,
/// closed and empty are decided under one lock, so nothing that was accepted is ever forgotten.
final class HandoffQueue<E> {
    /// What became of an offer.
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

    /// Waits up to `waitNanos` for a place; an interrupt is kept for later.
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

    /// Waits for an element, at most `waitNanos`; null then and once it is closed and empty.
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
                    // The threads that take are ours and end by close only.
                }
            }
            return removed();
        } finally {
            lock.unlock();
        }
    }

    /// The next element if there is one.
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

    /// Takes all that is left.
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
