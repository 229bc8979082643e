package dev.perigee.store;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// One read on its way. Whoever claims it first decides: a reader that runs it, or its caller who gives up waiting.
final class PendingRead<T extends @Nullable Object> {
    private final TransactionWork<T> work;
    private final long limitNanos;
    private final boolean isCallers;
    private final CompletableFuture<T> future = new CompletableFuture<>();
    private final AtomicBoolean isClaimed = new AtomicBoolean();

    /// @param isCallers whether it runs what a caller sent, rather than Perigee's own statements
    PendingRead(TransactionWork<T> work, long limitNanos, boolean isCallers) {
        this.work = work;
        this.limitNanos = limitNanos;
        this.isCallers = isCallers;
    }

    CompletableFuture<T> future() {
        return future;
    }

    boolean isCallers() {
        return isCallers;
    }

    boolean claim() {
        return isClaimed.compareAndSet(false, true);
    }

    /// Runs the work; the result is for [#end] once the transaction is closed.
    @Nullable
    T run(OpenTransaction transaction) {
        return transaction.run(work, limitNanos, "Nothing was changed");
    }

    void failed(Throwable why) {
        future.completeExceptionally(why);
    }
}
