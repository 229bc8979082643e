package dev.perigee.replication.copy;

import dev.perigee.fault.PerigeeException;

/// Is told of each row of a batch that could not be stored. When it returns, the remaining rows are applied; when it
/// throws, the batch is not applied.
@FunctionalInterface
public interface RowRefusals {
    /// @param row the row's index in the batch
    /// @throws PerigeeException `reason` or another exception, if the batch must not be applied without this row
    void refused(int row, PerigeeException reason);

    /// Throws the reason: no row may be missing.
    RowRefusals NONE = (_, reason) -> {
        throw reason;
    };
}
