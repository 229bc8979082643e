package dev.perigee.alarm;

import dev.perigee.alarm.AlarmRecords.Row;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Durable timers: each owner has at most one due time. After a restart, overdue alarms fire at once.
///
/// A handler that throws is called again up to 6 times, first after 2 s and then after twice the wait before. After the
/// last retry the alarm is logged and cleared. A run that a crash cut short counts as one that threw.
///
/// A handler may set its owner's next alarm, which then holds whether the handler returns or throws. While a handler
/// runs and has not set one, its owner has no due time. One owner's handler never runs twice at the same time. Handlers
/// of different owners run concurrently, at most [#MAX_RUNNING].
///
/// Handlers run on virtual threads. Any thread may call any method.
///
/// @see <a href="https://developers.cloudflare.com/durable-objects/api/alarms/">the semantics it follows</a>
public final class Alarms implements AutoCloseable {
    /// Runs when its owner's alarm is due, on a thread of its own.
    @FunctionalInterface
    public interface Handler {
        /// @param attempt 0 for the first call, 1 to 6 for retries
        /// @throws Exception to be called again later
        void onAlarm(int attempt) throws Exception;

        /// Called after the wall clock was set back: due times computed from it before may now be too far ahead. Runs
        /// on a thread of its own, possibly while [#onAlarm] runs. The owner's alarm stays set unless this sets
        /// another.
        default void onClockSetBack() throws Exception {}
    }

    /// The most handlers that run at the same time; other due owners wait.
    public static final int MAX_RUNNING = 32;

    /// Calls of a handler after the first one failed.
    static final int MAX_RETRIES = 6;

    private static final Duration LEAST_AHEAD = Duration.ofSeconds(1);
    static final Duration FIRST_BACKOFF = Duration.ofSeconds(2);

    /// The wall clock counts as set back when it has lost more than this against the monotonic clock.
    private static final Duration SET_BACK = Duration.ofSeconds(1);

    /// How long closing waits for running handlers before it interrupts them, and once more after that.
    private static final Duration CLOSE_WAIT = Duration.ofSeconds(30);

    private static final Logger LOG = LoggerFactory.getLogger(Alarms.class);

    private final AlarmRecords table;
    private final InstantSource clock;
    private final AtomicLong revision;
    private final Map<String, Handler> handlers = new ConcurrentHashMap<>();
    private final Map<String, Run> running = new ConcurrentHashMap<>();
    private final WakeSignal bell = new WakeSignal();
    private final ServingThreads threads;
    private final Thread scheduler;
    /// The furthest that the wall clock was ahead of `System.nanoTime()` since it was last set back.
    private long mostAheadMillis = Long.MIN_VALUE;
    private boolean isSetBack;

    /// A handler that runs now, and the alarm that it was called for.
    private record Run(Row row, Thread thread) {}

    public Alarms(Store store, InstantSource clock) {
        this.table = new AlarmRecords(store);
        this.threads = store.threads();
        this.scheduler =
                Thread.ofPlatform().name("perigee-alarms").unstarted(threads.repeated("alarms", this::schedule));
        this.clock = clock;
        this.revision = new AtomicLong(table.lastRevision());
    }

    /// Registers the handler of an owner's alarm, replacing any. An alarm that is already due fires as soon as
    /// [#start()] has been called.
    public void handler(String owner, Handler handler) {
        handlers.put(owner, handler);
        bell.ring();
    }

    /// Removes the owner's handler. The alarm stays set, but does not fire until there is a handler again.
    public void forget(String owner) {
        handlers.remove(owner);
    }

    /// Sets the owner's due time, replacing any. A time less than one second from now becomes one second from now. It
    /// is rounded up to milliseconds. Returns once the alarm is stored.
    public void set(String owner, Instant due) {
        lookAtClock();
        Instant soonest = clock.instant().plus(LEAST_AHEAD);
        Instant later = due.isBefore(soonest) ? soonest : due;
        table.set(owner, later.plusNanos(999_999).toEpochMilli(), revision.incrementAndGet());
        bell.ring();
    }

    /// When the owner's alarm fires next, which may be a retry; empty if none is set, or if its handler runs for it
    /// now.
    public Optional<Instant> due(String owner) {
        while (true) {
            Run run = running.get(owner);
            Optional<Row> row = table.row(owner);
            // A run that began or ended in between may have changed the row after we read it.
            if (running.get(owner) != run) continue;
            return row.filter(r -> run == null || r.revision() != run.row().revision())
                    .map(r -> Instant.ofEpochMilli(r.dueMillis()));
        }
    }

    /// Deletes the owner's alarm. A handler that runs continues, but is not called again for it.
    public void clear(String owner) {
        table.clear(owner);
    }

    /// Starts firing alarms. Call it once.
    public void start() {
        scheduler.start();
    }

    /// Makes the scheduler look at the clock again. For tests, which move the clock.
    public void wake() {
        bell.ring();
    }

    /// Stops firing and waits for running handlers, for at most a minute; alarms stay set.
    @Override
    public void close() {
        bell.close();
        try {
            if (scheduler.isAlive()) scheduler.join();
            joinHandlers(CLOSE_WAIT);
            for (Run run : running.values()) {
                LOG.warn(
                        "The alarm handler of {} did not finish within {} s and is interrupted",
                        run.row().owner(),
                        CLOSE_WAIT.toSeconds());
                run.thread().interrupt();
            }
            joinHandlers(CLOSE_WAIT);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void joinHandlers(Duration wait) throws InterruptedException {
        long start = System.nanoTime();
        for (Run run : List.copyOf(running.values())) {
            Duration left = wait.minusNanos(System.nanoTime() - start);
            if (left.isPositive()) run.thread().join(left);
        }
    }

    /// Compares the wall clock with the monotonic one. Called before each due time is set, so that even a short time
    /// ahead is remembered and its end noticed.
    private synchronized void lookAtClock() {
        long ahead = clock.millis() - TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
        if (mostAheadMillis != Long.MIN_VALUE && mostAheadMillis - ahead > SET_BACK.toMillis()) {
            LOG.info("The clock was set back by {} ms; due times are checked again", mostAheadMillis - ahead);
            isSetBack = true;
            mostAheadMillis = ahead;
        }
        mostAheadMillis = Math.max(mostAheadMillis, ahead);
    }

    /// Whether the clock was set back since the last call.
    private synchronized boolean wasSetBack() {
        lookAtClock();
        boolean wasSetBack = isSetBack;
        isSetBack = false;
        return wasSetBack;
    }

    private void clockWasSetBack() {
        handlers.forEach((owner, handler) -> {
            Thread thread = Thread.ofVirtual().name("perigee-clock-" + owner).unstarted(threads.step("alarm", () -> {
                try {
                    handler.onClockSetBack();
                } catch (Exception e) {
                    LOG.warn("The handler of {} threw when it was told that the clock was set back", owner, e);
                }
            }));
            thread.start();
        });
    }

    private void schedule() {
        boolean mayBeFar = true; // at the start too: the clock may have been ahead before the restart
        while (!bell.isClosed()) {
            try {
                if (wasSetBack()) {
                    mayBeFar = true;
                    clockWasSetBack();
                }
                if (mayBeFar) table.bringRetriesNearer(clock.millis());
                mayBeFar = false;
                bell.await(fireDue());
            } catch (PerigeeException e) {
                if (e.fault() == Fault.CLOSED) return;
                LOG.warn("Due alarms could not be read; the next try is in a second: {}", e.getMessage());
                bell.pause();
            } catch (RuntimeException e) {
                LOG.error("Due alarms could not be checked; the next try is in a second", e);
                bell.pause();
            }
        }
    }

    /// Starts the handlers of due alarms, except those of owners whose handler still runs.
    ///
    /// @return how long until the next alarm is due
    private Duration fireDue() {
        long now = clock.millis();
        List<Row> due = new ArrayList<>();
        AtomicLong next = new AtomicLong(Long.MAX_VALUE);
        table.inOrder(row -> {
            if (!handlers.containsKey(row.owner()) || running.containsKey(row.owner())) return true;
            if (row.dueMillis() > now) {
                next.set(row.dueMillis());
                return false;
            }
            // When a handler ends, it rings the bell, and owners left out now are considered again.
            if (running.size() + due.size() >= MAX_RUNNING) return false;
            due.add(row);
            return true;
        });
        for (Row row : due) fire(row);
        return next.get() == Long.MAX_VALUE ? WakeSignal.LONGEST : Duration.ofMillis(next.get() - now);
    }

    private void fire(Row row) {
        // Entered in `running` here and not on the new thread, so that the next call of fireDue() already sees it.
        Thread thread = Thread.ofVirtual().name("perigee-alarm-" + row.owner()).unstarted(threads.step("alarm", () -> {
            try {
                run(row);
            } finally {
                running.remove(row.owner());
                bell.ring();
            }
        }));
        running.put(row.owner(), new Run(row, thread));
        thread.start();
    }

    private void run(Row row) {
        Handler handler = handlers.get(row.owner());
        if (handler == null) return;
        if (row.begun() > MAX_RETRIES) {
            LOG.error("The alarm of {} is given up: none of its {} runs finished", row.owner(), row.begun());
            record(row, () -> table.done(row));
            return;
        }
        if (!begin(row)) return;
        try {
            handler.onAlarm(row.begun());
        } catch (Throwable e) {
            failed(row, e);
            return;
        }
        record(row, () -> table.done(row));
    }

    private boolean begin(Row row) {
        try {
            return table.begin(row);
        } catch (PerigeeException e) {
            LOG.warn("The alarm of {} waits, because its start cannot be recorded: {}", row.owner(), e.getMessage());
            bell.pause();
            return false;
        }
    }

    private void failed(Row row, Throwable e) {
        int retry = row.begun() + 1;
        if (retry > MAX_RETRIES) {
            LOG.error("The alarm of {} is given up: its handler threw {} times", row.owner(), retry, e);
            record(row, () -> table.done(row));
            return;
        }
        Duration backoff = FIRST_BACKOFF.multipliedBy(1L << row.begun());
        LOG.warn(
                "The alarm handler of {} threw; retry {} of {} in {} s",
                row.owner(),
                retry,
                MAX_RETRIES,
                backoff.toSeconds(),
                e);
        record(row, () -> table.retry(row, clock.instant().plus(backoff).toEpochMilli()));
    }

    /// Records how a run ended, trying again for as long as the fault is retryable. An alarm whose end is not recorded
    /// would fire again. A full disk would then use up all retries, and the alarm would be given up.
    private void record(Row row, Runnable write) {
        while (true) {
            try {
                write.run();
                return;
            } catch (PerigeeException e) {
                LOG.warn("The end of the alarm of {} cannot be recorded: {}", row.owner(), e.getMessage());
                if (bell.isClosed() || !e.fault().isRetryable()) return;
                bell.pause();
            }
        }
    }
}
