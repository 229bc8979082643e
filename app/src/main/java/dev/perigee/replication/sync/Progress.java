package dev.perigee.replication.sync;

import java.util.Optional;

/// How far a running sync is.
///
/// @param rows rows committed to the replica in this sync, and before it in a load that was interrupted
/// @param estimatedRows rows expected altogether; known only while a table is loaded from the beginning
/// @param rowsPerSecond average of this sync so far
/// @param etaMs time left at that rate
public record Progress(long rows, Optional<Long> estimatedRows, double rowsPerSecond, Optional<Long> etaMs) {
    public static Progress of(long rows, Optional<Long> estimatedRows, long elapsedMs) {
        return of(rows, 0, estimatedRows, elapsedMs);
    }

    /// As [#of(long, Optional, long)], for a load that continues after an interruption.
    ///
    /// @param before rows committed before the interruption; they count as rows, but not for the rate
    public static Progress of(long pulled, long before, Optional<Long> estimatedRows, long elapsedMs) {
        long rows = before + pulled;
        double rate = pulled * 1000.0 / Math.max(1, elapsedMs);
        Optional<Long> eta = pulled == 0
                ? Optional.empty()
                : estimatedRows.map(all -> (long) (Math.max(0, all - rows) * 1000 / rate));
        return new Progress(rows, estimatedRows, rate, eta);
    }
}
