package dev.perigee.store;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// One read in the queue. It is claimed exactly once: by the reader that runs it, or by its caller when the caller
/// gives up waiting.
final class PendingRead<T extends @Nullable Object> {
    private final TransactionWork<T> work;
    private final long limitNanos;
    private final boolean isCallers;
    private final CompletableFuture<T> future = new CompletableFuture<>();
    private final AtomicBoolean isClaimed = new AtomicBoolean();

    /// @param isCallers whether it runs a caller's statement, rather than Perigee's own
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

    /// @return true for the first call only; its caller decides what happens to the read
    boolean claim() {
        return isClaimed.compareAndSet(false, true);
    }

    /// Runs the work and returns its result. The caller completes [#future()] with it.
    @Nullable
    T run(OpenTransaction transaction) {
        return transaction.run(work, limitNanos, "Nothing was changed");
    }

    void failed(Throwable why) {
        future.completeExceptionally(why);
    }
}
