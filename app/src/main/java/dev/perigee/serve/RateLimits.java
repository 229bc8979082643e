package dev.perigee.serve;

import dev.perigee.fault.Fault;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// Rate limits per token or address, by the generic cell rate algorithm (GCRA). Safe for many threads; never blocks.
///
/// A limit is a number of requests per period. For each caller this class keeps the theoretical arrival time: when the
/// requests so far would have been spent, had they come at the allowed rate. This time may be at most one period in the
/// future, so a burst of the whole number is allowed.
final class RateLimits {
    /// Names that are remembered. When there are more, those that have used the least are evicted.
    static final int MAX_NAMES = 10_000;

    /// Names that are evicted at a time, so that not every new name causes a scan of all names.
    private static final int FORGOTTEN = MAX_NAMES / 10;

    private final Map<String, AtomicLong> until = new ConcurrentHashMap<>();
    private final LongSupplier nanoTime;
    private final long intervalNanos;
    private final long periodNanos;

    /// @param count how often a name may take in each `period`
    RateLimits(int count, long period, TimeUnit unit) {
        this(count, period, unit, System::nanoTime);
    }

    RateLimits(int count, long period, TimeUnit unit, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.periodNanos = unit.toNanos(period);
        this.intervalNanos = Math.max(1, periodNanos / count);
    }

    /// @throws dev.perigee.fault.PerigeeException [Fault#TOO_MANY_REQUESTS] if the name has used up its allowance
    void take(String name) {
        if (!tryTake(name)) throw refusal();
    }

    /// Whether the name has used up its allowance. Takes nothing.
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

    /// Gives back what was taken last.
    void giveBack(String name) {
        AtomicLong used = until.get(name);
        if (used != null) used.addAndGet(-intervalNanos);
    }

    static RuntimeException refusal() {
        return Fault.TOO_MANY_REQUESTS.saying("Too many requests: wait and send again.");
    }

    /// Evicts the names that have used the least. An attacker who floods us with invented names evicts those names
    /// only, not the count of a name that has used up much.
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
