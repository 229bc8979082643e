package dev.perigee.store;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One write in the queue: its work, its limits, and the future on which its caller waits.
final class PendingWrite<T extends @Nullable Object> {
    static final long NO_LIMIT = TimeGuard.NO_LIMIT;

    private final @Nullable TransactionWork<T> work;
    private final WriterLease.@Nullable Turn<T> turn;
    private final long limitNanos;
    private final long maxWalBytes;
    private final CompletableFuture<T> future = new CompletableFuture<>();
    private @Nullable T result;

    PendingWrite(TransactionWork<T> work, long limitNanos) {
        this(work, limitNanos, NO_LIMIT);
    }

    /// @param maxWalBytes by how much its transaction may grow the WAL
    PendingWrite(TransactionWork<T> work, long limitNanos, long maxWalBytes) {
        this.work = work;
        this.turn = null;
        this.limitNanos = limitNanos;
        this.maxWalBytes = maxWalBytes;
    }

    /// @param turn lets another process write, in place of work done here
    PendingWrite(WriterLease.Turn<T> turn) {
        this.work = null;
        this.turn = turn;
        this.limitNanos = NO_LIMIT;
        this.maxWalBytes = NO_LIMIT;
    }

    /// Whether another process writes. If so, [#runTurn] is called instead of [#run].
    boolean isTurn() {
        return turn != null;
    }

    CompletableFuture<T> future() {
        return future;
    }

    /// Whether its caller gave up before it began.
    boolean isCancelled() {
        return future.isDone();
    }

    /// Whether the watchdog may end it, which undoes the transaction around it.
    boolean isLimited() {
        return limitNanos != NO_LIMIT || maxWalBytes != NO_LIMIT;
    }

    /// Whether it may be run again after its first run was undone. Only limited writes promise that.
    boolean isRepeatable() {
        return isLimited();
    }

    /// Runs the work and keeps its result until [#committed()].
    void run(OpenTransaction transaction) {
        result = transaction.run(Objects.requireNonNull(work), limitNanos, maxWalBytes, "Nothing was written");
    }

    /// Lets the other process write. What that process committed is durable when this returns.
    void runTurn(WriterLease lease) {
        result = Objects.requireNonNull(turn).run(lease);
    }

    @SuppressWarnings("NullAway") // The result is null only where T allows it.
    void committed() {
        future.complete(result);
    }

    void failed(Throwable why) {
        future.completeExceptionally(why);
    }
}
