package dev.perigee.fault;

import java.time.Duration;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Supervises the threads that serve, by kind, such as `reader`. Work that ends with an exception is an error in the
/// log and is counted; it is started again, or ends the server where nothing can replace it.
///
/// Started again means on the same thread: what has to be replaced is what the work had open, such as a connection, and
/// that it opens itself. Safe for many threads.
public final class ServingThreads implements AutoCloseable {
    /// Work on a supervised thread. It returns when it is to end for good.
    @FunctionalInterface
    public interface Work {
        /// @param serving to be called once it has opened what it needs; until then its kind counts as down
        void run(Runnable serving);
    }

    /// How long until work that ended is started again. Doubled each time it ends soon after.
    private static final Duration FIRST_PAUSE = Duration.ofMillis(10);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final Logger LOG = LoggerFactory.getLogger(ServingThreads.class);

    /// What is known of one kind.
    private static final class Kind {
        final AtomicLong ends = new AtomicLong();
        final AtomicInteger down = new AtomicInteger();
    }

    private final Map<String, Kind> kinds = new ConcurrentHashMap<>();
    private final CompletableFuture<String> vitalEnd = new CompletableFuture<>();
    private final CountDownLatch closed = new CountDownLatch(1);

    /// For a thread whose work is started again whenever it ends with an exception.
    public Runnable repeated(String kind, Work work) {
        return () -> repeat(kind, work);
    }

    /// As [#repeated(String, Work)], for work that serves as soon as it runs.
    public Runnable repeated(String kind, Runnable work) {
        return repeated(kind, serving -> {
            serving.run();
            work.run();
        });
    }

    /// For one step of a schedule, or the whole of a short thread: what it throws ends that step only. A scheduled
    /// executor would otherwise never run the step again, and say nothing.
    public Runnable step(String kind, Runnable work) {
        return () -> {
            try {
                work.run();
            } catch (Throwable e) {
                ended(kind, e, "what it did is left as it is");
            }
        };
    }

    /// For a thread that nothing can replace: when it ends with an exception, the server is to end.
    public Runnable vital(String kind, Runnable work) {
        return () -> {
            try {
                work.run();
            } catch (Throwable e) {
                kind(kind).down.incrementAndGet();
                ended(kind, e, "nothing can take its place, so the server has to be started again");
                vitalEnd.complete("The %s ended and nothing can take its place: %s".formatted(kind, e));
            }
        };
    }

    /// Reports what threads throw that nobody else watches.
    public Thread.UncaughtExceptionHandler others() {
        return (thread, e) -> ended("other", e, "the thread was " + thread.getName());
    }

    /// Completes with a message when a vital thread has ended.
    public CompletableFuture<String> vitalEnd() {
        return vitalEnd.copy();
    }

    /// The kinds of which a thread does not serve now.
    public SortedSet<String> down() {
        SortedSet<String> down = new TreeSet<>();
        kinds.forEach((name, kind) -> {
            if (kind.down.get() > 0) down.add(name);
        });
        return down;
    }

    /// How many threads do not serve now, for each kind of which one ever ended.
    public Map<String, Long> downCounts() {
        Map<String, Long> counts = new TreeMap<>();
        kinds.forEach((name, kind) -> counts.put(name, (long) kind.down.get()));
        return counts;
    }

    /// How often threads ended with an exception, for each kind of which one did.
    public Map<String, Long> endCounts() {
        Map<String, Long> counts = new TreeMap<>();
        kinds.forEach((name, kind) -> counts.put(name, kind.ends.get()));
        return counts;
    }

    /// Nothing is started again from now on.
    @Override
    public void close() {
        closed.countDown();
    }

    private void repeat(String kind, Work work) {
        Duration pause = FIRST_PAUSE;
        boolean[] isDown = {false}; // Only this thread looks at it.
        Runnable serving = () -> {
            if (isDown[0]) kind(kind).down.decrementAndGet();
            isDown[0] = false;
        };
        while (true) {
            long begin = System.nanoTime();
            try {
                work.run(serving);
                serving.run();
                return;
            } catch (Throwable e) {
                if (!isDown[0]) kind(kind).down.incrementAndGet();
                isDown[0] = true;
                ended(kind, e, "it is started again");
            }
            if (System.nanoTime() - begin > LONGEST_PAUSE.toNanos()) pause = FIRST_PAUSE;
            if (isClosedAfter(pause)) return;
            Duration doubled = pause.multipliedBy(2);
            pause = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
        }
    }

    private boolean isClosedAfter(Duration pause) {
        try {
            return closed.await(pause.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException _) {
            return false; // Whoever closes the work interrupts it: it sees that itself.
        }
    }

    private void ended(String kind, Throwable why, String next) {
        kind(kind).ends.incrementAndGet();
        try {
            LOG.error("A thread of the kind {} ended unexpectedly; {}", kind, next, why);
        } catch (Throwable _) {
            // Without memory for the message the count has to do; the thread goes on.
        }
    }

    private Kind kind(String name) {
        return kinds.computeIfAbsent(name, _ -> new Kind());
    }
}
