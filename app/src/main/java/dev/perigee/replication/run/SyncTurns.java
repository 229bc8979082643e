package dev.perigee.replication.run;

import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.log.LogFollower;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.sync.LogStart;
import dev.perigee.replication.sync.Progress;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.replication.sync.SyncListener;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.SyncedTable;
import dev.perigee.replication.sync.TableSync;
import dev.perigee.source.TableDefinition;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/// Runs syncs of tables, at most `parallelTables` at a time, and decides when each table is due next. Tables of a group
/// are synced together. Safe for many threads.
public final class SyncTurns implements TableRunner.Work {
    /// The longest wait until the log is applied up to now.
    private static final Duration CATCH_UP = Duration.ofSeconds(60);

    private final InstantSource clock;
    private final ReplicationConfig settings;
    private final TableSync sync;
    private final LogFollower log;
    private final SyncObserver observer;
    private final Function<String, List<TableRunner>> members;
    private final Backoff backoff;
    private final Semaphore turns;
    private final GroupRuns groups = new GroupRuns();

    /// @param members gives the tables of a group that are not paused
    SyncTurns(
            InstantSource clock,
            ReplicationConfig settings,
            TableSync sync,
            LogFollower log,
            SyncObserver observer,
            Function<String, List<TableRunner>> members) {
        this.clock = clock;
        this.settings = settings;
        this.sync = sync;
        this.log = log;
        this.observer = observer;
        this.members = members;
        this.backoff = new Backoff(settings.retryFirst(), settings.retryMax(), new Random());
        this.turns = new Semaphore(settings.parallelTables(), true);
    }

    public TableSync sync() {
        return sync;
    }

    /// Work that uses the source, and may block on it.
    @FunctionalInterface
    public interface Turn<T> {
        T run() throws InterruptedException;
    }

    /// Runs `work` on the calling thread while it holds a turn. Blocks until a turn is free: at most `parallelTables`
    /// pieces of work have one at once, in the order they asked.
    public <T> T inTurn(Turn<T> work) throws InterruptedException {
        turns.acquire();
        try {
            return work.run();
        } finally {
            turns.release();
        }
    }

    /// How long to wait before a retry, see [Backoff].
    ///
    /// @param failures how many tries in a row have failed
    public Duration retryDelay(int failures, Problem problem) {
        return backoff.delay(failures, problem.isRetryable());
    }

    /// Syncs a table, or its whole group if it has one, and sets when it is due next. Called on the thread of the
    /// table's sync; blocks until a turn is free and the sync has ended.
    ///
    /// @return this table's result; a sync that fails is a result too
    @Override
    public SyncResult run(TableRunner runner, Run.Kind kind, SyncCancellation cancellation)
            throws InterruptedException {
        boolean isFollowed = runner.config().mode() == Mode.LOG && log.isFollowing(runner.name());
        if (isFollowed && kind == Run.Kind.SYNC) return caughtUp(runner);
        Optional<String> group = runner.config().group();
        if (group.isPresent()) return grouped(group.get(), runner, kind, cancellation);
        return inTurn(() -> watched(runner, kind, cancellation, sync::run));
    }

    /// Nothing of the source's log may be applied while a task compares the copy with its source or writes to it.
    @Override
    public <T> T alone(TableRunner runner, TableRunner.Exclusive<T> task, SyncCancellation cancellation)
            throws InterruptedException {
        boolean isFollowed = runner.config().mode() == Mode.LOG && log.isFollowing(runner.name());
        if (!isFollowed) return task.run(cancellation);
        log.catchUp(CATCH_UP);
        try (LogStart.Held _ = log.held(runner.name())) {
            return task.run(cancellation);
        }
    }

    /// A table that the source's log is applied to needs no sync: only the log has to be applied up to now.
    private SyncResult caughtUp(TableRunner runner) throws InterruptedException {
        Instant began = clock.instant();
        Optional<Problem> problem = Optional.empty();
        try {
            log.catchUp(CATCH_UP);
        } catch (PerigeeException e) {
            problem = Optional.of(Problem.of(e));
        }
        Instant now = clock.instant();
        runner.setDue(due(runner, began, now, 1, problem));
        long ms = Duration.between(began, now).toMillis();
        return SyncResult.of(runner.name(), RowCounts.NONE, Math.max(0, ms), problem);
    }

    /// A group takes one turn for all its tables. If each member took a turn of its own, members holding turns could
    /// wait forever for members that wait for a turn.
    private SyncResult grouped(String group, TableRunner runner, Run.Kind kind, SyncCancellation cancellation)
            throws InterruptedException {
        return watched(
                runner,
                kind,
                cancellation,
                member -> groups.run(
                        group,
                        runner,
                        member,
                        () -> members.apply(group),
                        together -> inTurn(() -> sync.runGroup(together))));
    }

    private interface Syncing {
        SyncResult run(TableSync.Member member) throws InterruptedException;
    }

    /// Keeps the runner's state, its due time and the observer up to date around a sync.
    private SyncResult watched(TableRunner runner, Run.Kind kind, SyncCancellation cancellation, Syncing syncing)
            throws InterruptedException {
        AtomicBoolean isDecided = new AtomicBoolean();
        LookedTable looked = runner.takeLooked();
        try {
            runner.setProgress(Progress.of(0, Optional.empty(), 0));
            runner.setSyncing(true);
            observer.changed(runner);
            SyncResult result = syncing.run(new TableSync.Member(
                    runner.config(),
                    kind,
                    looked.described(),
                    listener(runner, looked.definition()),
                    cancellation,
                    (started, finished, failures, error) -> {
                        Instant due = due(runner, started, finished, failures, error);
                        runner.setDue(due);
                        isDecided.set(true);
                        return Optional.of(due);
                    },
                    log));
            if (!isDecided.get() && !cancellation.isCancelled()) {
                runner.setDue(clock.instant().plus(settings.retryMax())); // its outcome could not be recorded
            }
            if (result.succeeded() && sync.hasMore(runner.name())) runner.setDue(clock.instant());
            if (!cancellation.isCancelled()) runner.setFailing(!result.succeeded());
            observer.finished(runner, result);
            return result;
        } finally {
            runner.setProgress(null);
            runner.setSyncing(false);
            observer.changed(runner);
        }
    }

    /// @param before the table's definition, read before the sync
    private SyncListener listener(TableRunner runner, TableDefinition before) {
        TableConfig config = runner.config();
        return new SyncListener() {
            @Override
            public void progress(String table, Progress progress) {
                if (progress.rows() > 0) runner.setChangedAt(clock.instant());
                runner.setProgress(progress);
                observer.progress(runner, progress);
            }

            @Override
            public void synced(String table, SyncedTable synced) {
                runner.setKnown(new KnownTable(config, synced.definedAs(before)));
            }
        };
    }

    private Instant due(TableRunner runner, Instant started, Instant finished, int failures, Optional<Problem> error) {
        if (error.isPresent()) return finished.plus(retryDelay(failures, error.get()));
        return runner.schedule().next(started, finished);
    }
}
