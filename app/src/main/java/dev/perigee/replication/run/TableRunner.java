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

/// One replicated table at run time: at most one thing is done to its copy at a time. Whoever asks for a sync while one
/// runs joins it; what else is asked for follows, in order.
public final class TableRunner {
    /// How long a cancelled sync may take to reach the end of its page before its connection is cut.
    static final Duration PAGE_GRACE = Duration.ofSeconds(2);

    /// How long a sync whose connection was cut may take to end.
    public static final Duration CUT_GRACE = Duration.ofSeconds(8);

    /// Runs a sync to its end; [Tables] says how many at once.
    @FunctionalInterface
    interface Work {
        SyncResult run(TableRunner runner, Run.Kind kind, SyncCancellation cancellation) throws InterruptedException;
    }

    /// Things that wait for the table at most; more are refused.
    static final int MAX_WAITING = 64;

    /// Something that must not happen to a copy while it is synced.
    @FunctionalInterface
    public interface Exclusive<T> {
        T run(SyncCancellation cancellation) throws InterruptedException;
    }

    /// @param kind of a sync; empty for anything else
    /// @param result completes when it has ended
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

    private final Deque<Task<?>> waiting = new ArrayDeque<>();
    private @Nullable Running running;
    private @Nullable PerigeeException closed;

    /// @param changed called after each sync, when this runner is free again
    TableRunner(ConfiguredTable table, Work work, Runnable changed) {
        this.table = table;
        this.work = work;
        this.changed = changed;
    }

    public String name() {
        return table.config().name();
    }

    public TableConfig config() {
        return table.config();
    }

    ConfiguredTable table() {
        return table;
    }

    /// Takes effect with the next sync.
    void table(ConfiguredTable table) {
        this.table = table;
    }

    /// Whether the configuration file asked for it once and no longer does. It is not synced by schedule then.
    boolean isOrphan() {
        return isOrphan;
    }

    void orphan(boolean isOrphan) {
        this.isOrphan = isOrphan;
    }

    public boolean isPaused() {
        return table.config().paused() || isOrphan;
    }

    /// Why it rests, where nobody paused it; empty also where its schedule goes on.
    public Optional<String> whyPaused() {
        if (!isOrphan) return Optional.empty();
        return Optional.of(
                "paused, because the configuration file no longer names it; name it there again, or resume it with `perigee tables resume %1$s`, or end it with `perigee tables remove %1$s`"
                        .formatted(Remedies.word(name())));
    }

    public Optional<Instant> due() {
        return Optional.ofNullable(due);
    }

    /// Kept in milliseconds, as the alarm is: else the alarm would come a moment too early and find nothing due.
    public void due(@Nullable Instant due) {
        this.due = due == null ? null : due.truncatedTo(ChronoUnit.MILLIS);
    }

    /// For the status: `syncing`, `paused`, `failing` or `idle`.
    public String state() {
        if (isSyncing) return "syncing";
        if (isPaused()) return "paused";
        return isFailing ? "failing" : "idle";
    }

    boolean isFailing() {
        return isFailing;
    }

    void failing(boolean isFailing) {
        this.isFailing = isFailing;
    }

    /// How far the running sync is; empty when none runs.
    public Optional<Progress> progress() {
        return Optional.ofNullable(progress);
    }

    public void progress(@Nullable Progress progress) {
        this.progress = progress;
    }

    /// Whether a sync is at work, not only waiting for its turn.
    boolean isSyncing() {
        return isSyncing;
    }

    void syncing(boolean isSyncing) {
        this.isSyncing = isSyncing;
    }

    public synchronized boolean isBusy() {
        return running != null;
    }

    /// Starts a sync, or joins the one that runs or waits.
    public CompletableFuture<SyncResult> sync() {
        return sync(Run.Kind.SYNC);
    }

    /// Starts a resync, joins one that waits, or has it follow what runs: also a resync, since that may have read the
    /// source before this one was asked for.
    CompletableFuture<SyncResult> resync() {
        return sync(Run.Kind.RESYNC);
    }

    /// Runs `work` when nothing else is done to the copy, after what waits already.
    public <T> CompletableFuture<T> exclusively(Exclusive<T> work) {
        return add(new Task<>(Optional.empty(), work, new CompletableFuture<>()));
    }

    private synchronized CompletableFuture<SyncResult> sync(Run.Kind kind) {
        for (Task<?> task : kind == Run.Kind.RESYNC ? waiting : tasks()) {
            // A resync does what a sync does, and more.
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

    /// Ends what runs at the end of its page; what was committed stays.
    synchronized void cancel(PerigeeException reason) {
        if (running == null) return;
        running.cancellation.cancel(reason);
        if (!isSyncing) running.thread.interrupt(); // it only waits for its turn
    }

    /// From now on nothing starts here any more: callers get `reason`.
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

    synchronized void reopen() {
        closed = null;
    }

    /// Waits for a cancelled sync to end; cuts its connection when it does not get to its page's end.
    ///
    /// @return whether it has ended
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
                            "%d things wait for it already".formatted(MAX_WAITING),
                            "Nothing was changed"));
        }
        return task.result();
    }

    private <T> void start(Task<T> task) {
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
            Task<?> next = waiting.poll();
            if (next != null) start(next);
        }
        // Free first, then told: who waited for the sync finds the table idle.
        changed.run();
        if (failure != null) task.result().completeExceptionally(failure);
        else task.result().complete(done);
    }
}
