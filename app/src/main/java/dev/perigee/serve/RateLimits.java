package dev.perigee.serve;

import dev.perigee.fault.Fault;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// Counts what comes from each token, or from each address, and refuses what is too much. Safe for many threads; nobody
/// waits.
///
/// The generic cell rate algorithm: for each name the time at which it will have used up what it asked for; that may be
/// one period ahead of now, which is a burst of as much as a period allows.
final class RateLimits {
    /// Names that are remembered; when there are more, those that used least are forgotten.
    static final int MAX_NAMES = 10_000;

    /// Forgotten at once, so that not every new name has all of them looked at.
    private static final int FORGOTTEN = MAX_NAMES / 10;

    private final Map<String, AtomicLong> until = new ConcurrentHashMap<>();
    private final LongSupplier nanoTime;
    private final long intervalNanos;
    private final long periodNanos;

    /// @param count what a name may ask for in `period`
    RateLimits(int count, long period, TimeUnit unit) {
        this(count, period, unit, System::nanoTime);
    }

    RateLimits(int count, long period, TimeUnit unit, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.periodNanos = unit.toNanos(period);
        this.intervalNanos = Math.max(1, periodNanos / count);
    }

    /// @throws dev.perigee.fault.PerigeeException [Fault#TOO_MANY_REQUESTS]
    void take(String name) {
        if (!tryTake(name)) throw refusal();
    }

    /// Whether the name has used up what it may.
    boolean isSpent(String name) {
        AtomicLong used = until.get(name);
        return used != null && used.get() + intervalNanos - nanoTime.getAsLong() > periodNanos;
    }

    boolean tryTake(String name) {
        AtomicLong used = until.get(name);
        if (used == null) {
            if (until.size() >= MAX_NAMES) forget();
            used = until.computeIfAbsent(name, _ -> new AtomicLong(nanoTime.getAsLong()));
        }
        while (true) {
            long now = nanoTime.getAsLong();
            long before = used.get();
            long after = (before - now > 0 ? before : now) + intervalNanos;
            if (after - now > periodNanos) return false;
            if (used.compareAndSet(before, after)) return true;
        }
    }

    /// What was taken last counts no more.
    void giveBack(String name) {
        AtomicLong used = until.get(name);
        if (used != null) used.addAndGet(-intervalNanos);
    }

    static RuntimeException refusal() {
        return Fault.TOO_MANY_REQUESTS.saying("Too many requests: wait and send again.");
    }

    /// Who invents names forgets that way the names invented, not the count of somebody who has used up much.
    private synchronized void forget() {
        if (until.size() < MAX_NAMES) return; // Another thread has done it.
        long now = nanoTime.getAsLong();
        until.values().removeIf(used -> used.get() - now < 0);
        if (until.size() < MAX_NAMES) return;
        record Used(String name, long ahead) {}
        until.entrySet().stream()
                .map(entry -> new Used(entry.getKey(), entry.getValue().get() - now))
                .sorted(Comparator.comparingLong(Used::ahead))
                .limit(FORGOTTEN)
                .forEach(used -> until.remove(used.name()));
    }

    int names() {
        return until.size();
    }
}
