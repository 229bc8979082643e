package dev.perigee.replication.run;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.state.ConfiguredTable;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.sync.Progress;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.replication.sync.SyncResult;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// One replicated table at run time. Runs at most one task on its copy at a time, each on a virtual thread of its own.
/// A request for a sync joins the sync that runs or waits; other tasks wait in the order they came, at most
/// [#MAX_WAITING] of them. Safe for many threads.
public final class TableRunner {
    /// How long a cancelled task may take to reach the end of its page before its thread is interrupted, which cuts its
    /// connection to the source.
    static final Duration PAGE_GRACE = Duration.ofSeconds(2);

    /// How long a task whose thread was interrupted may take to end.
    public static final Duration CUT_GRACE = Duration.ofSeconds(8);

    /// Runs the tasks of tables; [SyncTurns] bounds how many syncs run at once.
    interface Work {
        /// Runs a sync to its end.
        SyncResult run(TableRunner runner, Run.Kind kind, SyncCancellation cancellation) throws InterruptedException;

        /// Runs any other task to its end.
        <T> T alone(TableRunner runner, Exclusive<T> task, SyncCancellation cancellation) throws InterruptedException;
    }

    /// Tasks that wait for the table at most; further ones fail with [Fault#BUSY].
    static final int MAX_WAITING = 64;

    /// A task that needs the copy for itself: no sync and no other task runs meanwhile.
    @FunctionalInterface
    public interface Exclusive<T> {
        T run(SyncCancellation cancellation) throws InterruptedException;
    }

    /// @param kind the kind of a sync; empty for any other task
    /// @param result completes when the task has ended
    private record Task<T>(Optional<Run.Kind> kind, Exclusive<T> work, CompletableFuture<T> result) {}

    private record Running(Task<?> task, SyncCancellation cancellation, Thread thread) {}

    private final Work work;
    private final Runnable changed;
    private volatile ConfiguredTable table;
    private volatile boolean isOrphan;
    private volatile @Nullable Instant due;
    private volatile @Nullable Progress progress;
    private volatile boolean isSyncing;
    private volatile boolean isFailing;
    private volatile @Nullable KnownTable known;
    private volatile @Nullable KnownTable knownBefore; // the running task
    private volatile @Nullable AsOf asOf;
    private volatile @Nullable LookedTable looked;
    private volatile Instant changedAt = Instant.EPOCH;
    private boolean isHastened;

    private final Deque<Task<?>> waiting = new ArrayDeque<>();
    private @Nullable Running running;
    private @Nullable PerigeeException closed;

    /// @param changed called after each task, on its thread, when this runner is idle again or has started the next
    ///     task
    TableRunner(ConfiguredTable table, Work work, Runnable changed) {
        this.table = table;
        this.work = work;
        this.changed = changed;
    }

    /// The name the table is configured by.
    public String name() {
        return table.config().name();
    }

    public TableConfig config() {
        return table.config();
    }

    ConfiguredTable table() {
        return table;
    }

    /// Changes the table's settings. A running sync keeps the old ones; the next takes the new ones.
    void setTable(ConfiguredTable table) {
        this.table = table;
    }

    /// Whether the table came from the configuration file and the file no longer names it. Such a table counts as
    /// paused.
    boolean isOrphan() {
        return isOrphan;
    }

    void setOrphan(boolean isOrphan) {
        this.isOrphan = isOrphan;
    }

    /// Whether the table is not synced by schedule: somebody paused it, or it [#isOrphan].
    public boolean isPaused() {
        return table.config().paused() || isOrphan;
    }

    /// Why a table is paused that the configuration file no longer names, for people; empty for all other tables.
    public Optional<String> whyPaused() {
        if (!isOrphan) return Optional.empty();
        return Optional.of(
                "paused, because the configuration file no longer names it; name it there again, or resume it with `perigee tables resume %1$s`, or stop replicating it with `perigee tables remove %1$s`"
                        .formatted(Remedies.word(name())));
    }

    /// When the next sync is due; empty if no time was set yet.
    public Optional<Instant> due() {
        return Optional.ofNullable(due);
    }

    /// Sets when the next sync is due, cut to whole milliseconds as the alarm's time is. Otherwise the alarm would fire
    /// a fraction of a millisecond too early and find nothing due.
    public void setDue(@Nullable Instant due) {
        this.due = due == null ? null : due.truncatedTo(ChronoUnit.MILLIS);
    }

    /// What is known about the table since its last sync; empty while a task runs, and after any task but a sync that
    /// succeeded.
    Optional<KnownTable> known() {
        return Optional.ofNullable(known);
    }

    /// What was known before the task that runs; as [#known] where none runs.
    Optional<KnownTable> knownBefore() {
        KnownTable now = known;
        return Optional.ofNullable(now == null && isBusy() ? knownBefore : now);
    }

    /// Records what a sync that has just succeeded leaves known. Called in the sync's task.
    void setKnown(KnownTable known) {
        this.known = known;
    }

    /// Records that a look found the table unchanged, unless a task was started meanwhile.
    ///
    /// @param before what was known when the look began
    /// @param due when to look again
    synchronized boolean isUnchanged(KnownTable before, KnownTable after, AsOf asOf, Instant due) {
        if (running != null || known != before) return false;
        known = after;
        this.asOf = asOf;
        if (!isHastened) setDue(due);
        return true;
    }

    /// Makes the table due at once. A look or a task that is under way may have read the source before this, so it does
    /// not count.
    synchronized void hasten(Instant now) {
        isHastened = true;
        changedAt = now;
        setDue(now);
    }

    /// Records that a look or a task begins, which serves what [#hasten] has asked for so far.
    synchronized void isTakenUp() {
        isHastened = false;
    }

    /// Up to when the copy has everything, where a look has shown it; empty where none has.
    Optional<AsOf> asOf() {
        return Optional.ofNullable(asOf);
    }

    /// Records that the copy has everything up to a time, as the source's log has shown.
    void passed(AsOf shown) {
        asOf = shown;
    }

    /// Hands the next sync what a look before it has shown.
    void setLooked(LookedTable looked) {
        this.looked = looked;
    }

    /// Takes what [#setLooked] has left.
    LookedTable takeLooked() {
        LookedTable left = looked;
        looked = null;
        return left == null ? LookedTable.NOTHING : left;
    }

    /// Records that the table was seen to change. At the start of the server it counts as changed.
    void setChangedAt(Instant changedAt) {
        this.changedAt = changedAt;
    }

    /// The rule that sets when the table is due next.
    Schedule schedule() {
        return Schedule.of(config(), changedAt);
    }

    /// The state that the status shows: `syncing`, `paused`, `failing` or `idle`.
    public String state() {
        if (isSyncing) return "syncing";
        if (isPaused()) return "paused";
        return isFailing ? "failing" : "idle";
    }

    /// Whether the last sync failed.
    public boolean isFailing() {
        return isFailing;
    }

    void setFailing(boolean isFailing) {
        this.isFailing = isFailing;
    }

    /// How far the running sync is; empty if none runs.
    public Optional<Progress> progress() {
        return Optional.ofNullable(progress);
    }

    public void setProgress(@Nullable Progress progress) {
        this.progress = progress;
    }

    /// Records whether a sync is at work. While it waits for its turn it is not, except as a member of a group.
    void setSyncing(boolean isSyncing) {
        this.isSyncing = isSyncing;
    }

    /// Whether a task runs, of any kind.
    public synchronized boolean isBusy() {
        return running != null;
    }

    /// Starts a sync, or joins the one that runs or waits. Never blocks.
    ///
    /// @return completes with the sync's result, also if it failed; completes exceptionally if the sync could not run
    public CompletableFuture<SyncResult> sync() {
        return sync(Run.Kind.SYNC);
    }

    /// Starts a resync, or joins one that waits. It never joins a resync that already runs, because that one may have
    /// read the source before this call; the new one waits for it.
    CompletableFuture<SyncResult> resync() {
        return sync(Run.Kind.RESYNC);
    }

    /// Runs `work` on a thread of its own when the tasks that run or wait now have ended. Never blocks.
    ///
    /// @return completes with the result of `work` or its failure; with [Fault#BUSY] if too many tasks wait
    public <T> CompletableFuture<T> exclusively(Exclusive<T> work) {
        return add(new Task<>(
                Optional.empty(),
                cancellation -> this.work.alone(this, work, cancellation),
                new CompletableFuture<>()));
    }

    private synchronized CompletableFuture<SyncResult> sync(Run.Kind kind) {
        for (Task<?> task : kind == Run.Kind.RESYNC ? waiting : tasks()) {
            // A waiting or running resync also serves a request for a sync.
            boolean does =
                    task.kind().filter(k -> k == kind || k == Run.Kind.RESYNC).isPresent();
            if (does) return task.result().thenApply(SyncResult.class::cast);
        }
        return add(new Task<>(
                Optional.of(kind), cancellation -> work.run(this, kind, cancellation), new CompletableFuture<>()));
    }

    private List<Task<?>> tasks() {
        List<Task<?>> tasks = new ArrayList<>(waiting);
        if (running != null) tasks.addFirst(running.task());
        return tasks;
    }

    /// Cancels the running task with `reason`. A sync ends at the end of its page; a sync that waits for its turn, and
    /// any other task, is interrupted at once. What was committed stays. Tasks that wait still run.
    synchronized void cancel(PerigeeException reason) {
        if (running == null) return;
        running.cancellation.cancel(reason);
        if (!isSyncing) running.thread.interrupt(); // it may be waiting for its turn
    }

    /// Cancels the running task, and refuses all that wait and all that come later with `reason`, until [#reopen].
    void close(PerigeeException reason) {
        List<Task<?>> refused;
        synchronized (this) {
            closed = reason;
            refused = List.copyOf(waiting);
            waiting.clear();
            cancel(reason);
        }
        refused.forEach(task -> task.result().completeExceptionally(reason));
    }

    /// Cancels the running task, waits until it has ended, and refuses further tasks with `reason`, until [#reopen].
    ///
    /// @throws PerigeeException [Fault#BUSY] if the task did not end in time; the runner is open again then
    void end(PerigeeException reason) {
        close(reason);
        if (awaitIdle()) return;
        reopen();
        throw Fault.BUSY.in(
                "table " + name(),
                "its running sync did not end in time",
                "It is being cancelled",
                "wait until its state is no longer syncing, then try again");
    }

    /// Accepts tasks again.
    synchronized void reopen() {
        closed = null;
    }

    /// Waits for a cancelled task to end: [#PAGE_GRACE], then, after interrupting its thread, [#CUT_GRACE].
    ///
    /// @return whether nothing runs any more
    boolean awaitIdle() {
        Running last;
        synchronized (this) {
            last = running;
        }
        if (last == null || ends(last, PAGE_GRACE)) return true;
        last.thread.interrupt();
        return ends(last, CUT_GRACE);
    }

    private static boolean ends(Running running, Duration limit) {
        try {
            running.task().result().get(limit.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private synchronized <T> CompletableFuture<T> add(Task<T> task) {
        if (closed != null) {
            task.result().completeExceptionally(closed);
        } else if (running == null) {
            start(task);
        } else if (waiting.size() < MAX_WAITING) {
            waiting.add(task);
        } else {
            task.result()
                    .completeExceptionally(Fault.BUSY.in(
                            "table " + name(),
                            "%d tasks are already waiting for it".formatted(MAX_WAITING),
                            "Nothing was changed"));
        }
        return task.result();
    }

    private <T> void start(Task<T> task) {
        knownBefore = known;
        known = null;
        isHastened = false;
        SyncCancellation cancellation = new SyncCancellation();
        Thread thread = Thread.ofVirtual().name("perigee-sync-" + name()).unstarted(() -> {
            T done = null;
            Throwable failure = null;
            try {
                done = task.work().run(cancellation);
            } catch (InterruptedException e) {
                failure = cancellation
                        .reason()
                        .orElseGet(() ->
                                Fault.CLOSED.in("table " + name(), "its sync was interrupted", "Nothing was changed"));
            } catch (RuntimeException | Error e) {
                failure = e;
            }
            ended(task, done, failure);
        });
        running = new Running(task, cancellation, thread);
        thread.start();
    }

    private <T> void ended(Task<T> task, @Nullable T done, @Nullable Throwable failure) {
        synchronized (this) {
            running = null;
            if (isHastened) due = Instant.EPOCH;
            Task<?> next = waiting.poll();
            if (next != null) start(next);
        }
        // The runner is free before the result completes, so that a caller who waited for the sync finds the table
        // idle.
        changed.run();
        if (failure != null) task.result().completeExceptionally(failure);
        else task.result().complete(done);
    }
}
