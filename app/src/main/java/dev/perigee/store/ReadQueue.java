package dev.perigee.store;

import dev.perigee.store.HandoffQueue.Offer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The reads that wait for a reader. They are taken in the order in which they came, with one exception: callers' reads
/// never occupy all readers. Perigee's own reads are short, and replication, alarms and the status depend on them. A
/// caller's read may take its whole time limit.
///
/// Each kind has its own bound, so callers cannot fill the queue either. Safe for many threads.
final class ReadQueue {
    private record Waiting(PendingRead<?> read, long number) {}

    private final int capacity;
    private final int maxCallers;
    private final Deque<Waiting> system = new ArrayDeque<>();
    private final Deque<Waiting> callers = new ArrayDeque<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long offered;
    private int runningCallers;
    private boolean isClosed;

    /// @param capacity how many reads of each kind may wait
    /// @param maxCallers how many callers' reads may run at once
    ReadQueue(int capacity, int maxCallers) {
        this.capacity = capacity;
        this.maxCallers = maxCallers;
    }

    Offer offer(PendingRead<?> read) {
        lock.lock();
        try {
            if (isClosed) return Offer.CLOSED;
            Deque<Waiting> waiting = read.isCallers() ? callers : system;
            if (waiting.size() >= capacity) return Offer.FULL;
            waiting.add(new Waiting(read, offered++));
            changed.signal();
            return Offer.ACCEPTED;
        } finally {
            lock.unlock();
        }
    }

    /// Takes a read that may run now; null if there is none. Does not wait. [#done] must be called when it has run.
    @Nullable
    PendingRead<?> poll() {
        lock.lock();
        try {
            Waiting next = removeNext();
            return next == null ? null : next.read();
        } finally {
            lock.unlock();
        }
    }

    /// Waits for a read that may run now, and takes it; null once the queue is closed. [#done] must be called when it
    /// has run.
    @Nullable
    PendingRead<?> take() {
        lock.lock();
        try {
            while (true) {
                Waiting next = removeNext();
                if (next != null) return next.read();
                if (isClosed) return null;
                changed.awaitUninterruptibly(); // Only our own threads take, and only close ends them.
            }
        } finally {
            lock.unlock();
        }
    }

    /// Called when a read that was taken has ended.
    void done(PendingRead<?> read) {
        if (!read.isCallers()) return;
        lock.lock();
        try {
            runningCallers--;
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /// Removes a read whose caller has given up.
    void remove(PendingRead<?> read) {
        lock.lock();
        try {
            (read.isCallers() ? callers : system).removeIf(waiting -> waiting.read() == read);
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            isClosed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Removes and returns all remaining reads.
    List<PendingRead<?>> drain() {
        lock.lock();
        try {
            List<PendingRead<?>> left = new ArrayList<>();
            for (Waiting waiting : system) left.add(waiting.read());
            for (Waiting waiting : callers) left.add(waiting.read());
            system.clear();
            callers.clear();
            return left;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Waiting removeNext() {
        Waiting own = system.peek();
        Waiting caller = runningCallers < maxCallers ? callers.peek() : null;
        if (caller == null) return system.poll();
        if (own != null && own.number() < caller.number()) return system.poll();
        runningCallers++;
        return callers.poll();
    }
}
