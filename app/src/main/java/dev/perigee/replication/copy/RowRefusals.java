package dev.perigee.replication.copy;

import dev.perigee.fault.PerigeeException;

/// Hears of rows of a batch that could not be stored, and decides: where it returns, the other rows go on.
@FunctionalInterface
public interface RowRefusals {
    /// @param row in the batch
    /// @throws PerigeeException `reason`, or another, where the batch must not be applied without the row
    void refused(int row, PerigeeException reason);

    /// No row may be missing.
    RowRefusals NONE = (_, reason) -> {
        throw reason;
    };
}
