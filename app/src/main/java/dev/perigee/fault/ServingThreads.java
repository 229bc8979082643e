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

/// Supervises the threads that serve, grouped by kind, such as `reader`. If the work of a thread throws, the exception
/// is logged and counted, and the work is run again on the same thread. The work must open its own resources again,
/// such as a connection. Where work cannot be repeated, such as the writer's, the server ends. Thread-safe.
public final class ServingThreads implements AutoCloseable {
    /// Work on a supervised thread. When it returns without an exception, the thread ends for good.
    @FunctionalInterface
    public interface Work {
        /// @param serving the work calls this once it has opened what it needs. After a failure the thread counts as
        ///     down until then.
        void run(Runnable serving);
    }

    /// Wait before failed work is started again. It doubles with each failure, and begins again from here after a run
    /// longer than [#LONGEST_PAUSE].
    private static final Duration FIRST_PAUSE = Duration.ofMillis(10);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final Logger LOG = LoggerFactory.getLogger(ServingThreads.class);

    /// Counters of one kind.
    private static final class Kind {
        final AtomicLong ends = new AtomicLong();
        final AtomicInteger down = new AtomicInteger();
    }

    private final Map<String, Kind> kinds = new ConcurrentHashMap<>();
    private final CompletableFuture<String> vitalEnd = new CompletableFuture<>();
    private final CountDownLatch closed = new CountDownLatch(1);

    /// Wraps the work of a thread so that it is started again whenever it ends with an exception, until [#close()].
    public Runnable repeated(String kind, Work work) {
        return () -> repeat(kind, work);
    }

    /// As [#repeated(String, Work)], for work that serves from its first moment.
    public Runnable repeated(String kind, Runnable work) {
        return repeated(kind, serving -> {
            serving.run();
            work.run();
        });
    }

    /// Wraps one step of a schedule, or all the work of a short-lived thread. What it throws is logged and counted, and
    /// ends this step only. Without this, a scheduled executor would silently never run the step again.
    public Runnable step(String kind, Runnable work) {
        return () -> {
            try {
                work.run();
            } catch (Throwable e) {
                ended(kind, e, "what it was doing is left unfinished");
            }
        };
    }

    /// Wraps the work of a thread that nothing can replace. If it ends with an exception, [#vitalEnd()] completes and
    /// the server must end.
    public Runnable vital(String kind, Runnable work) {
        return () -> {
            try {
                work.run();
            } catch (Throwable e) {
                kind(kind).down.incrementAndGet();
                ended(kind, e, "nothing can replace it, so the server must be restarted");
                vitalEnd.complete("The %s ended and nothing can replace it: %s".formatted(kind, e));
            }
        };
    }

    /// Logs and counts exceptions of all other threads, under the kind `other`.
    public Thread.UncaughtExceptionHandler others() {
        return (thread, e) -> ended("other", e, "the thread was " + thread.getName());
    }

    /// Completes with a message when a vital thread has ended.
    public CompletableFuture<String> vitalEnd() {
        return vitalEnd.copy();
    }

    /// The kinds that have a thread which is not serving now.
    public SortedSet<String> down() {
        SortedSet<String> down = new TreeSet<>();
        kinds.forEach((name, kind) -> {
            if (kind.down.get() > 0) down.add(name);
        });
        return down;
    }

    /// How many threads are not serving now, for each kind that has ever lost a thread to an exception.
    public Map<String, Long> downCounts() {
        Map<String, Long> counts = new TreeMap<>();
        kinds.forEach((name, kind) -> counts.put(name, (long) kind.down.get()));
        return counts;
    }

    /// How often threads ended with an exception, for each kind in which that happened.
    public Map<String, Long> endCounts() {
        Map<String, Long> counts = new TreeMap<>();
        kinds.forEach((name, kind) -> counts.put(name, kind.ends.get()));
        return counts;
    }

    /// Stops starting failed work again; running work is left alone.
    @Override
    public void close() {
        closed.countDown();
    }

    private void repeat(String kind, Work work) {
        Duration pause = FIRST_PAUSE;
        boolean[] isDown = {false}; // read and written by this thread only
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
            return false; // An interrupt comes from closing the work, which sees that by itself when it runs again.
        }
    }

    private void ended(String kind, Throwable why, String next) {
        kind(kind).ends.incrementAndGet();
        try {
            LOG.error("A thread of kind \"{}\" ended unexpectedly; {}", kind, next, why);
        } catch (Throwable _) {
            // There may be no memory left for the message. The count must do then, and the thread continues.
        }
    }

    private Kind kind(String name) {
        return kinds.computeIfAbsent(name, _ -> new Kind());
    }
}
