package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// One replicated table at run time: at most one sync at a time, which whoever asks for another one joins.
final class TableRunner {
    /// How long a cancelled sync may take to reach the end of its page before its connection is cut.
    static final Duration PAGE_GRACE = Duration.ofSeconds(2);

    /// How long a sync whose connection was cut may take to end.
    static final Duration CUT_GRACE = Duration.ofSeconds(8);

    /// Runs a sync to its end; [Tables] says how many at once.
    @FunctionalInterface
    interface Work {
        SyncResult run(TableRunner runner, Run.Kind kind, Cancellation cancellation) throws InterruptedException;
    }

    /// @param result completes when the sync has ended
    private record Running(
            Run.Kind kind, CompletableFuture<SyncResult> result, Cancellation cancellation, Thread thread) {}

    private final Work work;
    private final Runnable changed;
    private volatile ConfiguredTable table;
    private volatile boolean isOrphan;
    private volatile @Nullable Instant due;
    private volatile @Nullable String copy;
    private volatile @Nullable Progress progress;
    private volatile boolean isSyncing;
    private volatile boolean isFailing;

    private @Nullable Running running;
    private @Nullable CompletableFuture<SyncResult> resyncNext;
    private @Nullable PerigeeException closed;

    /// @param changed called after each sync, when this runner is free again
    TableRunner(ConfiguredTable table, Work work, Runnable changed) {
        this.table = table;
        this.work = work;
        this.changed = changed;
    }

    String name() {
        return table.config().name();
    }

    TableConfig config() {
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

    boolean isPaused() {
        return table.config().paused() || isOrphan;
    }

    Optional<Instant> due() {
        return Optional.ofNullable(due);
    }

    /// Kept in milliseconds, as the alarm is: else the alarm would come a moment too early and find nothing due.
    void due(@Nullable Instant due) {
        this.due = due == null ? null : due.truncatedTo(ChronoUnit.MILLIS);
    }

    /// For the status: `syncing`, `paused`, `failing` or `idle`.
    String state() {
        if (isSyncing) return "syncing";
        if (isPaused()) return "paused";
        return isFailing ? "failing" : "idle";
    }

    void failing(boolean isFailing) {
        this.isFailing = isFailing;
    }

    /// The copy's name in the replica; empty until it is known.
    Optional<String> copy() {
        return Optional.ofNullable(copy);
    }

    void copy(String copy) {
        this.copy = copy;
    }

    /// How far the running sync is; empty when none runs.
    Optional<Progress> progress() {
        return Optional.ofNullable(progress);
    }

    void progress(@Nullable Progress progress) {
        this.progress = progress;
    }

    /// Whether a sync is at work, not only waiting for its turn.
    boolean isSyncing() {
        return isSyncing;
    }

    void syncing(boolean isSyncing) {
        this.isSyncing = isSyncing;
    }

    synchronized boolean isBusy() {
        return running != null;
    }

    /// Starts a sync, or joins the one that runs.
    synchronized CompletableFuture<SyncResult> sync() {
        return running != null ? running.result : start(Run.Kind.SYNC, new CompletableFuture<>());
    }

    /// Starts a resync, joins the one that runs, or has it follow the sync that runs.
    synchronized CompletableFuture<SyncResult> resync() {
        if (running == null) return start(Run.Kind.RESYNC, new CompletableFuture<>());
        if (running.kind == Run.Kind.RESYNC) return running.result;
        if (resyncNext == null) resyncNext = new CompletableFuture<>();
        return resyncNext;
    }

    /// Ends what runs at the end of its page; what was committed stays.
    synchronized void cancel(PerigeeException reason) {
        if (running == null) return;
        running.cancellation.cancel(reason);
        if (!isSyncing) running.thread.interrupt(); // it only waits for its turn
    }

    /// From now on nothing starts here any more: callers get `reason`.
    synchronized void close(PerigeeException reason) {
        closed = reason;
        cancel(reason);
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
            running.result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
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

    private CompletableFuture<SyncResult> start(Run.Kind kind, CompletableFuture<SyncResult> result) {
        if (closed != null) {
            result.completeExceptionally(closed);
            return result;
        }
        Cancellation cancellation = new Cancellation();
        Thread thread = Thread.ofVirtual().name("perigee-sync-" + name()).unstarted(() -> {
            SyncResult done = null;
            Throwable failure = null;
            try {
                done = work.run(this, kind, cancellation);
            } catch (InterruptedException e) {
                failure = cancellation
                        .reason()
                        .orElseGet(() ->
                                Fault.CLOSED.in("table " + name(), "its sync was interrupted", "Nothing was changed"));
            } catch (RuntimeException | Error e) {
                failure = e;
            }
            ended(result, done, failure);
        });
        running = new Running(kind, result, cancellation, thread);
        thread.start();
        return result;
    }

    private void ended(CompletableFuture<SyncResult> result, @Nullable SyncResult done, @Nullable Throwable failure) {
        synchronized (this) {
            running = null;
            CompletableFuture<SyncResult> next = resyncNext;
            resyncNext = null;
            if (next != null) {
                CompletableFuture<SyncResult> _ = start(Run.Kind.RESYNC, next);
            }
        }
        // Free first, then told: who waited for the sync finds the table idle.
        changed.run();
        if (failure != null) result.completeExceptionally(failure);
        else result.complete(done);
    }
}
