package dev.perigee.replication.log;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.freshness.CopyFreshness;
import dev.perigee.replication.freshness.History;
import dev.perigee.replication.freshness.SourceMoment;
import dev.perigee.replication.state.Guarantee;
import dev.perigee.replication.state.LogRecords;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.sync.LogStart;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.source.LogTable;
import dev.perigee.source.Source;
import dev.perigee.source.SourceLog;
import dev.perigee.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Follows the source's log, for all tables in mode `log` together, on one thread.
///
/// **Start of a table.** The source is asked to send the table's changes ([LogStartup]). Then the table's rows are read
/// in a snapshot by an ordinary sync, and meanwhile nothing of the log is applied, to any table. With the rows, the
/// sync records which transactions the snapshot saw. When the log is read on, those are left out for this table, and
/// all later ones are applied.
///
/// **What does not fit.** When a table's definition changes, or a change cannot be applied, the log is applied up to
/// the transaction before. Then the table's rows are read again in the same way, next to the copy, which readers see
/// until it is replaced.
///
/// **A log that is lost** is one that the source no longer has, that somebody else has read, or that is of another
/// server or another of its timelines. Then a new one is begun, and the rows of all its tables are read again.
public final class LogFollower implements LogStart {
    /// Wait before the log is opened again after a failure; it doubles up to [#LONGEST_PAUSE].
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(15);

    /// How long the thread may take to end.
    private static final Duration STOP_LIMIT = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(LogFollower.class);

    private final Store store;
    private final Supplier<Source> source;
    private final InstantSource clock;
    private final CopyFreshness freshness;
    private final LogTables tables;
    private final LogStartup startup;
    private final RecentTransactions recent = new RecentTransactions();

    // Guarded by this object's lock.
    private @Nullable Thread thread;
    private @Nullable LogMarks marks;
    private int holds;
    private boolean isReading;
    private boolean isChanged = true;
    private boolean isStopped;
    private @Nullable PerigeeException failure;
    private LogMarks.@Nullable Mark passed;
    private long appliedTo;

    public LogFollower(
            Store store, Supplier<Source> source, InstantSource clock, CopyFreshness freshness, LogTables tables) {
        this.store = store;
        this.source = source;
        this.clock = clock;
        this.freshness = freshness;
        this.tables = tables;
        this.startup = new LogStartup(store, source, recent);
    }

    /// Starts to follow the log, if there is anything to follow.
    public synchronized void start() {
        if (thread != null || isStopped) return;
        thread = Thread.ofPlatform().name("perigee-log").start(store.threads().repeated("log", this::run));
    }

    /// Stops applying. What was committed stays, and is acknowledged after the next start.
    public void stop() {
        Thread running;
        synchronized (this) {
            isStopped = true;
            running = thread;
            notifyAll();
        }
        if (running == null) return;
        try {
            running.join(STOP_LIMIT);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// To be called when tables or their settings have changed: the log is opened again as they are now.
    public synchronized void changed() {
        isChanged = true;
        notifyAll();
    }

    /// Whether the log's changes are applied to the table's copy, so that there is nothing to sync.
    public boolean isFollowing(String table) {
        return store.read(ReplicationTables.READ_LIMIT, tx -> LogRecords.isFollowed(tx, table));
    }

    /// Where the follower stands.
    public synchronized LogStatus status() {
        LogMarks now = marks;
        long end = now == null ? 0 : now.end();
        return new LogStatus(
                isReading ? "following" : failure != null ? "failing" : holds > 0 ? "held" : "waiting",
                appliedTo,
                isReading && end != 0 ? Math.max(0, end - appliedTo) : -1,
                passed == null ? -1 : (System.nanoTime() - passed.takenNanos()) / 1_000_000,
                now == null ? -1 : now.retained(),
                Optional.ofNullable(failure).map(Problem::of));
    }

    /// Waits until everything is applied that was committed before this call.
    ///
    /// @throws PerigeeException [Fault#SOURCE_TIMEOUT] past the limit; why the log cannot be followed
    public synchronized void catchUp(Duration limit) throws InterruptedException {
        long asked = System.nanoTime();
        boolean isDemanded = false;
        while (passed == null || passed.takenNanos() - asked < 0) {
            if (failure != null && !isReading) throw failure;
            long restNanos = limit.toNanos() - (System.nanoTime() - asked);
            if (restNanos <= 0 || isStopped) {
                throw Fault.SOURCE_TIMEOUT.in(
                        "the source's log",
                        "it was not applied up to its present end within %d s".formatted(limit.toSeconds()),
                        "It is still being applied",
                        "wait and try again");
            }
            if (marks == null) isDemanded = false;
            else if (!isDemanded) marks.demand();
            isDemanded = marks != null;
            wait(Math.min(1000, 1 + restNanos / 1_000_000));
        }
    }

    /// Holds back the application of the log, and records as of which snapshot a table's copy has everything: rows that
    /// were changed later are not missing but yet to come.
    public Held held(String table) {
        hold();
        Optional<String> shown;
        synchronized (this) {
            shown = Optional.ofNullable(passed).map(mark -> mark.visible().text());
        }
        try {
            shown.ifPresent(snapshot -> store.write(tx -> {
                StateRecords.looked(tx, table, snapshot);
                return true;
            }));
        } catch (RuntimeException e) {
            release();
            throw e;
        }
        return this::release;
    }

    @Override
    public Held begin(LogTable wanted, SyncCancellation cancellation) {
        startup.begin(wanted, cancellation);
        hold();
        try {
            startup.awaitRead(cancellation);
        } catch (RuntimeException e) {
            release();
            throw e;
        }
        return this::release;
    }

    /// Stops reading the log, until [#release].
    private synchronized void hold() {
        holds++;
        notifyAll();
        boolean isInterrupted = false;
        while (isReading) {
            try {
                wait();
            } catch (InterruptedException _) {
                isInterrupted = true; // the thread that reads ends within one transaction
            }
        }
        if (isInterrupted) Thread.currentThread().interrupt();
    }

    private synchronized void release() {
        holds--;
        isChanged = true;
        notifyAll();
    }

    private void run() {
        Duration pause = FIRST_PAUSE;
        while (awaitWork()) {
            try {
                once();
                failed(null);
                pause = FIRST_PAUSE;
            } catch (OutdatedCopy e) {
                outdated(Map.of(e.table(), e.getMessage()));
            } catch (PerigeeException e) {
                failed(e);
                if (pause.equals(FIRST_PAUSE)) LOG.warn("the source's log cannot be followed: {}", e.getMessage());
                sleep(pause);
                pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
                changed();
            }
        }
    }

    /// Opens the log and follows it until something changes.
    private void once() {
        Optional<LogRecords.Follower> follower = store.read(ReplicationTables.READ_LIMIT, LogRecords::follower);
        if (follower.isEmpty()) return;
        Map<String, TableConfig> configs = new HashMap<>();
        tables.followed().forEach(config -> configs.put(config.name(), config));
        Source from = source.get();
        SourceLog log = SourceLogs.of(from);
        if (configs.isEmpty()) {
            startup.end(log, follower.get().name());
            return;
        }
        if (follower.get().began().isEmpty()) return; // the first table's start has not got that far
        LogRecords.Began began = follower.get().began().get();
        Optional<String> lost = startup.lost(log, follower.get().name(), began);
        if (lost.isPresent()) {
            lost(log, follower.get().name(), lost.get());
            return;
        }
        List<LogRecords.Table> recorded = new ArrayList<>();
        for (LogRecords.Table table : store.read(ReplicationTables.READ_LIMIT, LogRecords::tables)) {
            if (configs.containsKey(table.name())) recorded.add(table);
            else startup.remove(log, follower.get().name(), table.name());
        }
        if (recorded.isEmpty()) return;
        LogTargets.Found found =
                new LogTargets(store, from, log, startup.maxRowBytes()).find(recorded, configs, clock.instant());
        if (!found.outdated().isEmpty()) outdated(found.outdated());
        LogApply apply = new LogApply(found.changes(), began.position(), recent, clock);
        LogMarks fresh = new LogMarks(from, log, follower.get().name(), found.definitions());
        History history = new History(began.system(), began.timeline());
        try (LogSession session =
                new LogSession(store, opened(log, follower.get().name(), apply), apply, fresh)) {
            Thread.ofVirtual().name("perigee-log-mark").start(fresh::run);
            follow(session, apply, fresh, history);
        } finally {
            fresh.close();
            synchronized (this) {
                isReading = false;
                marks = null;
                notifyAll();
            }
        }
    }

    private static SourceLog.Reader opened(SourceLog log, String name, LogApply apply) {
        try {
            return log.open(name, apply);
        } catch (RuntimeException e) {
            apply.close();
            throw e;
        }
    }

    private void follow(LogSession session, LogApply apply, LogMarks fresh, History history) {
        synchronized (this) {
            if (holds > 0 || isStopped || isChanged) return;
            isReading = true;
            marks = fresh;
            failure = null;
            notifyAll();
        }
        while (isWanted() && !fresh.isOutdated()) {
            Optional<LogMarks.Mark> mark = session.step();
            if (mark.isPresent()) passed(apply, mark.get(), history);
            synchronized (this) {
                appliedTo = session.appliedTo();
            }
        }
        if (fresh.isOutdated()) changed();
    }

    private void passed(LogApply apply, LogMarks.Mark mark, History history) {
        SourceMoment moment = SourceMoment.ofLog(mark.visible(), mark.asOf(), mark.takenNanos(), mark.end(), history);
        List<String> names = new ArrayList<>();
        for (TableChanges table : apply.tables()) {
            int setAside = table.setAside();
            freshness.record(table.name(), moment, setAside == 0 ? Guarantee.COMPLETE : Guarantee.incomplete(setAside));
            names.add(table.name());
        }
        synchronized (this) {
            passed = mark;
            notifyAll();
        }
        tables.passed(names, mark.asOf());
    }

    private void outdated(Map<String, String> why) {
        Instant now = clock.instant();
        store.write(tx -> {
            why.keySet().forEach(name -> {
                LogRecords.remove(tx, name);
                StateRecords.dueAt(tx, name, Optional.of(now));
            });
            return true;
        });
        why.forEach((name, reason) -> {
            LOG.info("table {}: its rows are read again: {}", name, reason);
            tables.outdated(name);
        });
        changed();
    }

    private void lost(SourceLog log, String name, String why) {
        List<LogRecords.Table> all = store.read(ReplicationTables.READ_LIMIT, LogRecords::tables);
        LOG.warn("the source's log is lost, and the rows of its {} tables are read again: {}", all.size(), why);
        startup.end(log, name);
        recent.clear();
        Map<String, String> reasons = new HashMap<>();
        all.forEach(table -> reasons.put(table.name(), why));
        outdated(reasons);
    }

    private synchronized boolean isWanted() {
        return holds == 0 && !isStopped && !isChanged;
    }

    /// Waits until there may be something to do.
    ///
    /// @return false when the follower was stopped
    private synchronized boolean awaitWork() {
        while (!isStopped && (holds > 0 || !isChanged)) {
            try {
                wait();
            } catch (InterruptedException _) {
                return false;
            }
        }
        isChanged = false;
        return !isStopped;
    }

    private synchronized void failed(@Nullable PerigeeException e) {
        failure = e;
        notifyAll();
    }

    private synchronized void sleep(Duration pause) {
        long end = System.nanoTime() + pause.toNanos();
        for (long rest = pause.toMillis(); rest > 0 && !isStopped; rest = (end - System.nanoTime()) / 1_000_000) {
            try {
                wait(rest);
            } catch (InterruptedException _) {
                return;
            }
        }
    }
}
