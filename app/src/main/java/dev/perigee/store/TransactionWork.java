package dev.perigee.store;

import org.jspecify.annotations.Nullable;

/// A piece of work that runs in a transaction. An exception from it rolls back what this work did, and nothing else,
/// and reaches the caller unchanged. Work must not begin, commit or roll back the transaction; it may use savepoints of
/// its own.
@FunctionalInterface
public interface TransactionWork<T extends @Nullable Object> {
    /// @return the result for the caller; null if there is none
    @Nullable
    T run(Transaction transaction);
}
