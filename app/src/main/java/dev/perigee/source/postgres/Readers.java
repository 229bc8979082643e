package dev.perigee.source.postgres;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Which of our own sessions only read now, by the number of their server process: their transactions change nothing,
/// however long they take. Safe for many threads.
final class Readers {
    private final Map<Integer, Long> lent = new ConcurrentHashMap<>();
    private final AtomicLong loans = new AtomicLong();

    /// A session is lent to somebody who only reads.
    void lend(int process) {
        lent.put(process, loans.incrementAndGet());
    }

    void giveBack(int process) {
        lent.remove(process);
    }

    /// Those lent now, each with the number of its loan.
    Map<Integer, Long> lent() {
        return Map.copyOf(lent);
    }

    /// Whether none of these was given back since: one that was may have been lent to somebody who writes.
    boolean areStill(Map<Integer, Long> before) {
        return lent.entrySet().containsAll(before.entrySet());
    }
}
