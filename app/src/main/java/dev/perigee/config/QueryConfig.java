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
public record QueryConfig(
        Duration readLimit,
        Duration writeLimit,
        int maxStatementBytes,
        long maxRows,
        int maxTransactionStatements,
        long maxWriteBytes) {

    public static QueryConfig defaults() {
        return new QueryConfig(
                Duration.ofSeconds(60), Duration.ofSeconds(10), 1_000_000, 100_000_000L, 1000, 256L << 20);
    }
}
