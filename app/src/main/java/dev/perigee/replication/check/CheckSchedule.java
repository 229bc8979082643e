package dev.perigee.replication.check;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Checks of copies against their source: when they are due, and that each table has one at a time at most.
///
/// Due times are durable and outlive a restart; the plugin's alarm is set to the earliest, and starts what is due. A
/// check runs on a thread of its own and beside syncs: it asks for the table alone where it needs it. Safe for many
/// threads.
public final class CheckSchedule {
    /// Checks at work at once; more of them wait.
    static final int AT_ONCE = 2;

    /// After a check that came to no end, the next is due this soon, or after its interval where that is shorter.
    static final Duration RETRY = Duration.ofMinutes(10);

    private static final Logger LOG = LoggerFactory.getLogger(CheckSchedule.class);

    /// What is checked.
    public enum Kind {
        /// All rows and values.
        VERIFY,
        /// Which rows the source has deleted.
        SWEEP
    }

    /// A check that the schedule starts.
    interface Scheduled {
        /// Time from the end of one to the next; empty where the table's settings want none.
        Optional<Duration> interval(TableConfig config);

        /// Runs it to its end; what it finds, and its failures, it tells by itself.
        ///
        /// @return whether it came to its end, else it is tried again before its interval is over
        boolean run(TableRunner table, SyncCancellation cancellation);
    }

    private record Running(Thread thread, SyncCancellation cancellation) {}

    private final Store store;
    private final InstantSource clock;
    private final Map<Kind, Scheduled> kinds;
    private final Supplier<List<TableRunner>> tables;
    private final Runnable changed;
    private final Semaphore turns = new Semaphore(AT_ONCE, true);
    private final Map<CheckRecords.Key, Instant> due;
    private final Map<String, Running> running = new HashMap<>();
    private boolean isClosed;

    /// @param kinds the checks there are, by kind
    /// @param changed called after each check: due times are others now
    public CheckSchedule(
            Store store,
            InstantSource clock,
            Map<Kind, Scheduled> kinds,
            Supplier<List<TableRunner>> tables,
            Runnable changed) {
        this.store = store;
        this.clock = clock;
        this.kinds = Map.copyOf(kinds);
        this.tables = tables;
        this.changed = changed;
        this.due = new HashMap<>(store.read(ReplicationTables.READ_LIMIT, CheckRecords::all));
    }

    /// Starts the checks that are due, gives those that have no due time yet one, and forgets those that nobody wants
    /// any more.
    public synchronized void startDue() {
        if (isClosed) return;
        Instant now = clock.instant();
        Set<CheckRecords.Key> wanted = new HashSet<>();
        for (TableRunner table : tables.get()) {
            kinds.forEach((kind, check) -> check.interval(table.config()).ifPresent(interval -> {
                CheckRecords.Key key = new CheckRecords.Key(table.name(), kind);
                wanted.add(key);
                Instant latest = now.plus(interval);
                Instant when = due.getOrDefault(key, Instant.MAX);
                // Also where the interval has become shorter.
                if (when.isAfter(latest)) due(key, latest);
                if (isReady(table) && !when.isAfter(now)) start(table, kind, check);
            }));
        }
        List<CheckRecords.Key> unwanted =
                due.keySet().stream().filter(key -> !wanted.contains(key)).toList();
        if (unwanted.isEmpty()) return;
        store.write(tx -> {
            unwanted.forEach(key -> CheckRecords.remove(tx, key));
            return true;
        });
        unwanted.forEach(due::remove);
    }

    /// When the next check is due. One that runs sets the next when it has ended.
    public synchronized Optional<Instant> earliest() {
        Map<String, TableRunner> ready = new HashMap<>();
        for (TableRunner table : tables.get()) if (isReady(table)) ready.put(table.name(), table);
        return due.entrySet().stream()
                .filter(one -> ready.containsKey(one.getKey().table()))
                .map(Map.Entry::getValue)
                .min(Instant::compareTo);
    }

    synchronized Optional<Instant> due(String table, Kind kind) {
        return Optional.ofNullable(due.get(new CheckRecords.Key(table, kind)));
    }

    /// Whether the table is being checked, or waits for its turn.
    synchronized boolean isRunning(String table) {
        return running.containsKey(table);
    }

    /// Runs a check now, on a thread of its own; its schedule begins anew.
    ///
    /// @throws PerigeeException [Fault#BUSY] while another check of the table runs
    synchronized <T> CompletableFuture<T> start(TableRunner table, Kind kind, Function<SyncCancellation, T> check) {
        if (isClosed) throw closing();
        if (running.containsKey(table.name())) {
            throw Fault.BUSY.in(
                    "table " + table.name(),
                    "a check of it is running",
                    "Nothing was changed",
                    "ask again when it has ended; `GET /replication/proof/%s` has its progress"
                            .formatted(Remedies.segment(table.name())));
        }
        return begin(table, kind, check, _ -> true);
    }

    /// Tells all checks to end, and starts none any more. What they repaired until then stays.
    public void stop() {
        synchronized (this) {
            isClosed = true;
            running.values().forEach(one -> {
                one.cancellation().cancel(closing());
                one.thread().interrupt(); // it may wait for its turn, or for the source
            });
        }
    }

    /// Waits, for seconds at most, until all have ended; they may need their tables' runners to be stopped for it.
    public void awaitStopped() {
        List<Running> ending;
        synchronized (this) {
            ending = List.copyOf(running.values());
        }
        for (Running one : ending) {
            try {
                boolean hasEnded = one.thread().join(TableRunner.CUT_GRACE);
                if (!hasEnded) LOG.error("{} does not end", one.thread().getName());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean isReady(TableRunner table) {
        return !table.isPaused() && !running.containsKey(table.name());
    }

    private void start(TableRunner table, Kind kind, Scheduled check) {
        CompletableFuture<Boolean> _ = begin(table, kind, cancellation -> check.run(table, cancellation), done -> done);
    }

    private <T> CompletableFuture<T> begin(
            TableRunner table, Kind kind, Function<SyncCancellation, T> check, Function<T, Boolean> isDone) {
        SyncCancellation cancellation = new SyncCancellation();
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = Thread.ofVirtual()
                .name("perigee-%s-%s".formatted(ConfigRecords.word(kind), table.name()))
                .unstarted(() -> {
                    T done = null;
                    Throwable failure = null;
                    try {
                        turns.acquire();
                        try {
                            done = check.apply(cancellation);
                        } finally {
                            turns.release();
                        }
                    } catch (InterruptedException e) {
                        failure = cancellation.reason().orElseGet(CheckSchedule::closing);
                    } catch (RuntimeException | Error e) {
                        failure = e;
                    }
                    ended(table, kind, done != null && isDone.apply(done));
                    if (failure != null) result.completeExceptionally(failure);
                    else result.complete(done);
                });
        running.put(table.name(), new Running(thread, cancellation));
        thread.start();
        return result;
    }

    private void ended(TableRunner table, Kind kind, boolean isDone) {
        synchronized (this) {
            running.remove(table.name());
            if (isClosed) return; // what is due stays due, for the next start
            try {
                Optional<Duration> interval = Optional.ofNullable(kinds.get(kind))
                        .flatMap(check -> check.interval(table.config()))
                        .map(wanted -> isDone || wanted.compareTo(RETRY) < 0 ? wanted : RETRY);
                boolean isThere = tables.get().contains(table);
                if (interval.isPresent() && isThere) {
                    due(
                            new CheckRecords.Key(table.name(), kind),
                            clock.instant().plus(interval.get()));
                }
            } catch (PerigeeException e) {
                LOG.warn("table {}: its next check could not be recorded: {}", table.name(), e.getMessage());
            }
        }
        changed.run();
    }

    private void due(CheckRecords.Key key, Instant at) {
        // In milliseconds, as the alarm is: else the alarm would come a moment too early and find nothing due.
        Instant when = at.truncatedTo(ChronoUnit.MILLIS);
        store.write(tx -> {
            CheckRecords.put(tx, key, when);
            return true;
        });
        due.put(key, when);
    }

    private static PerigeeException closing() {
        return Fault.CLOSED.in("replication", "Perigee stops", "What was repaired before stays");
    }
}
