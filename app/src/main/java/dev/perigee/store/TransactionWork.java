package dev.perigee.store;

import org.jspecify.annotations.Nullable;

/// A piece of work inside a transaction. What it throws rolls back what it did, and only that, and reaches the caller
/// as it was thrown. It neither begins, commits nor rolls back; savepoints of its own are fine.
@FunctionalInterface
public interface TransactionWork<T extends @Nullable Object> {
    /// @return for the caller; null where there is nothing to return
    @Nullable
    T run(Transaction transaction);
}
