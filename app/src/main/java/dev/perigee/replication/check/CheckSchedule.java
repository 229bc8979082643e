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
import java.util.Collection;
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

/// Decides when the checks of copies (verifications and sweeps) are due, and runs at most one per table at a time.
///
/// Due times are stored in the replica and survive a restart. The plugin sets its alarm to the earliest of them, and
/// the alarm starts what is due. A check runs on a virtual thread of its own while syncs go on. For the steps that need
/// the copy for themselves it uses [TableRunner#exclusively]. Safe for many threads.
public final class CheckSchedule {
    /// Checks that run at once, over all tables; further ones wait for a turn.
    static final int AT_ONCE = 2;

    /// When the next check is due after one that could not be completed; the check's interval if that is shorter.
    static final Duration RETRY = Duration.ofMinutes(10);

    private static final Logger LOG = LoggerFactory.getLogger(CheckSchedule.class);

    /// The kinds of checks.
    public enum Kind {
        /// Compares all rows and their values.
        VERIFY,
        /// Compares keys only, to find rows that the source has deleted.
        SWEEP
    }

    /// One kind of check, as the schedule starts it.
    interface Scheduled {
        /// The time from the end of one check to the next; empty if the table's settings ask for none.
        Optional<Duration> interval(TableConfig config);

        /// Runs the check to its end, on the schedule's thread. It records and reports its findings and failures
        /// itself.
        ///
        /// @return whether the check was completed; if not, it is tried again after [CheckSchedule#RETRY]
        boolean run(TableRunner table, SyncCancellation cancellation);
    }

    private record Running(Thread thread, SyncCancellation cancellation) {}

    private final Store store;
    private final InstantSource clock;
    private final Map<Kind, Scheduled> kinds;
    private final Supplier<Collection<TableRunner>> tables;
    private final Runnable changed;
    private final Semaphore turns = new Semaphore(AT_ONCE, true);
    private final Map<CheckRecords.Key, Instant> due;
    private final Map<String, Running> running = new HashMap<>();
    private boolean isClosed;

    /// @param kinds the check to run for each kind
    /// @param tables gives the tables that are replicated now
    /// @param changed called after each check, when due times have changed
    public CheckSchedule(
            Store store,
            InstantSource clock,
            Map<Kind, Scheduled> kinds,
            Supplier<Collection<TableRunner>> tables,
            Runnable changed) {
        this.store = store;
        this.clock = clock;
        this.kinds = Map.copyOf(kinds);
        this.tables = tables;
        this.changed = changed;
        this.due = new HashMap<>(store.read(ReplicationTables.READ_LIMIT, CheckRecords::all));
    }

    /// Starts the checks that are due, except those of paused tables. Sets a due time for checks that have none, and
    /// forgets those that no table's settings ask for any more. Called when the alarm fires, and when tables or due
    /// times change.
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
                // No due time yet, or the interval was made shorter since.
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

    /// When the next check is due, leaving out tables that are paused or being checked. A running check sets the next
    /// due time when it ends.
    public synchronized Optional<Instant> earliest() {
        if (due.isEmpty()) return Optional.empty();
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

    /// Whether a check of the table runs or waits for its turn.
    synchronized boolean isRunning(String table) {
        return running.containsKey(table);
    }

    /// Starts a check now, on a thread of its own. The next scheduled check of this kind is then due one interval after
    /// its end.
    ///
    /// @return completes with the result of `check`, or with its failure
    /// @throws PerigeeException [Fault#BUSY] while another check of the table runs; [Fault#CLOSED] after [#stop]
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

    /// Cancels all checks and starts no further ones. Does not wait, see [#awaitStopped]. What they repaired stays.
    public void stop() {
        synchronized (this) {
            isClosed = true;
            running.values().forEach(one -> {
                one.cancellation().cancel(closing());
                one.thread().interrupt(); // it may be waiting for its turn, or for the source
            });
        }
    }

    /// Waits until all checks have ended, [TableRunner#CUT_GRACE] for each at most. Called after the tables' runners
    /// were stopped, because a check may wait for one of them.
    public void awaitStopped() {
        List<Running> ending;
        synchronized (this) {
            ending = List.copyOf(running.values());
        }
        for (Running one : ending) {
            try {
                boolean hasEnded = one.thread().join(TableRunner.CUT_GRACE);
                if (!hasEnded)
                    LOG.error(
                            "The check's thread {} did not end in time",
                            one.thread().getName());
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
            if (isClosed) return; // the stored due time stays, for the next start
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
        // Whole milliseconds, as the alarm's time is. Otherwise the alarm would fire too early and find nothing due.
        Instant when = at.truncatedTo(ChronoUnit.MILLIS);
        store.write(tx -> {
            CheckRecords.put(tx, key, when);
            return true;
        });
        due.put(key, when);
    }

    private static PerigeeException closing() {
        return Fault.CLOSED.in("replication", "Perigee is stopping", "Rows that were already repaired stay so");
    }
}
