package dev.perigee.config;

import java.time.Duration;

/// Limits of statements.
///
/// @param readLimit longest run of a reading request
/// @param writeLimit longest run of a writing request; it holds up every other write
/// @param maxStatementBytes longest SQL text
/// @param maxRows rows in one answer
/// @param maxTransactionStatements statements in one `transaction` request
/// @param maxWriteBytes what one writing request may add to the WAL
/// @param rowLevelSecurity whether clients see and write only what `tmp_rls_policies` lets them
public record QueryConfig(
        Duration readLimit,
        Duration writeLimit,
        int maxStatementBytes,
        long maxRows,
        int maxTransactionStatements,
        long maxWriteBytes,
        boolean rowLevelSecurity) {

    /// Without row-level security.
    public QueryConfig(
            Duration readLimit,
            Duration writeLimit,
            int maxStatementBytes,
            long maxRows,
            int maxTransactionStatements,
            long maxWriteBytes) {
        this(readLimit, writeLimit, maxStatementBytes, maxRows, maxTransactionStatements, maxWriteBytes, false);
    }

    /// The same limits with row-level security on or off.
    public QueryConfig withRowLevelSecurity(boolean isOn) {
        return new QueryConfig(
                readLimit, writeLimit, maxStatementBytes, maxRows, maxTransactionStatements, maxWriteBytes, isOn);
    }

    public static QueryConfig defaults() {
        return new QueryConfig(
                Duration.ofSeconds(60), Duration.ofSeconds(10), 1_000_000, 100_000_000L, 1000, 256L << 20);
    }
}
