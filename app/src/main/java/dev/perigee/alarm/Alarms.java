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

/// Durable timers: each owner has at most one due time. After a restart what is overdue fires at once.
///
/// A handler that throws is called again after 2 s, doubling, 6 times; then the alarm is given up, logged and cleared.
/// A run that a crash cut short counts as one that threw. A handler may set its owner's next alarm: it then stands,
/// whether the handler returns or throws. While a handler runs and has not done so, its owner has no due time. One
/// owner's handler never runs twice at the same time; different owners' run side by side, at most [#MAX_RUNNING].
///
/// Handlers run on virtual threads. Any thread may call any method.
///
/// @see <a href="https://developers.cloudflare.com/durable-objects/api/alarms/">the semantics it follows</a>
public final class Alarms implements AutoCloseable {
    /// Called when an owner's alarm is due, on a thread of its own.
    @FunctionalInterface
    public interface Handler {
        /// @param attempt 0 at first, 1 to 6 for retries
        void onAlarm(int attempt) throws Exception;

        /// The wall clock was set back: due times that were taken from it before may lie too far ahead. Called on a
        /// thread of its own, also beside [#onAlarm]; the owner's alarm stays as it is unless this sets another.
        default void onClockSetBack() throws Exception {}
    }

    /// Handlers that run at the same time; further owners wait.
    public static final int MAX_RUNNING = 32;

    /// Tries after the first.
    static final int MAX_RETRIES = 6;

    private static final Duration LEAST_AHEAD = Duration.ofSeconds(1);
    static final Duration FIRST_BACKOFF = Duration.ofSeconds(2);

    /// The wall clock was set back when it has lost more than this against the machine's own, which nobody sets.
    private static final Duration SET_BACK = Duration.ofSeconds(1);

    /// How long closing waits for handlers before it interrupts them, and again after that.
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
    private long mostAheadMillis = Long.MIN_VALUE; // of System.nanoTime(), since the clock was last set back
    private boolean isSetBack;

    /// A handler at work on a row.
    private record Run(Row row, Thread thread) {}

    public Alarms(Store store, InstantSource clock) {
        this.table = new AlarmRecords(store);
        this.threads = store.threads();
        this.scheduler =
                Thread.ofPlatform().name("perigee-alarms").unstarted(threads.repeated("alarms", this::schedule));
        this.clock = clock;
        this.revision = new AtomicLong(table.lastRevision());
    }

    /// Names who handles an owner's alarm. Alarms due before fire once [#start()] was called.
    public void handler(String owner, Handler handler) {
        handlers.put(owner, handler);
        bell.ring();
    }

    /// Nobody handles the owner's alarm from now on; it stays set.
    public void forget(String owner) {
        handlers.remove(owner);
    }

    /// Sets the owner's due time, replacing any; moved to one second from now when it is sooner. Returns once that is
    /// durable. Kept to the millisecond, rounded up.
    public void set(String owner, Instant due) {
        lookAtClock();
        Instant soonest = clock.instant().plus(LEAST_AHEAD);
        Instant later = due.isBefore(soonest) ? soonest : due;
        table.set(owner, later.plusNanos(999_999).toEpochMilli(), revision.incrementAndGet());
        bell.ring();
    }

    /// When the owner's alarm fires next, the next try of one that failed included.
    public Optional<Instant> due(String owner) {
        while (true) {
            Run run = running.get(owner);
            Optional<Row> row = table.row(owner);
            // One that began or ended in between may have changed the row after we saw it.
            if (running.get(owner) != run) continue;
            return row.filter(r -> run == null || r.revision() != run.row().revision())
                    .map(r -> Instant.ofEpochMilli(r.dueMillis()));
        }
    }

    /// Takes the owner's alarm away. A handler that runs goes on, but is not called again.
    public void clear(String owner) {
        table.clear(owner);
    }

    /// Begins to fire. Once only.
    public void start() {
        scheduler.start();
    }

    /// Looks at the clock again: for tests that move it.
    public void wake() {
        bell.ring();
    }

    /// Waits for handlers that run; alarms stay set.
    @Override
    public void close() {
        bell.close();
        try {
            if (scheduler.isAlive()) scheduler.join();
            joinHandlers(CLOSE_WAIT);
            for (Run run : running.values()) {
                LOG.warn(
                        "The alarm handler of {} did not end in {} s; it is interrupted",
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

    /// A time that is looked at while the clock is ahead is remembered, however short that is.
    private synchronized void lookAtClock() {
        long ahead = clock.millis() - TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
        if (mostAheadMillis != Long.MIN_VALUE && mostAheadMillis - ahead > SET_BACK.toMillis()) {
            LOG.info("The clock was set back by {} ms; what is due is looked at again", mostAheadMillis - ahead);
            isSetBack = true;
            mostAheadMillis = ahead;
        }
        mostAheadMillis = Math.max(mostAheadMillis, ahead);
    }

    /// Whether the clock was set back since this was asked for.
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
        boolean mayBeFar = true; // also what a clock that was ahead left behind in the last run
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
                LOG.warn("Due alarms could not be read; tried again in a second: {}", e.getMessage());
                bell.pause();
            } catch (RuntimeException e) {
                LOG.error("Due alarms could not be looked at; tried again in a second", e);
                bell.pause();
            }
        }
    }

    /// Starts the handlers that are due and free.
    ///
    /// @return how long until the next is due
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
            // Whoever ends rings the bell, and those that are left out are seen again.
            if (running.size() + due.size() >= MAX_RUNNING) return false;
            due.add(row);
            return true;
        });
        for (Row row : due) fire(row);
        return next.get() == Long.MAX_VALUE ? WakeSignal.LONGEST : Duration.ofMillis(next.get() - now);
    }

    private void fire(Row row) {
        // Entered here and not on its own thread, so that the next look at the table finds it.
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
            LOG.error("The alarm of {} is given up: none of its {} runs came to an end", row.owner(), row.begun());
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
            LOG.warn("The alarm of {} waits, since its begin cannot be recorded: {}", row.owner(), e.getMessage());
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

    /// Writes down how a run ended, however long that takes: an alarm that looks undone would fire again, and be given
    /// up after a few times because of a full disk.
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
