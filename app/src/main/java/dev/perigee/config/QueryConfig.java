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
/// @param allowlist whether clients run the statements of `tmp_allowlist_queries` only
/// @param log whether statements and their times are kept in `tmp_query_log`
/// @param cacheTime how long an answer of the external database is kept for those who take an old one
/// @param maxDatabaseBytes what the replica's pages may take before clients add no more
/// @param rowLevelSecurity whether clients see and write only what `tmp_rls_policies` lets them
/// @param workers the processes that run clients' statements
public record QueryConfig(
        Duration readLimit,
        Duration writeLimit,
        int maxStatementBytes,
        long maxRows,
        int maxTransactionStatements,
        long maxWriteBytes,
        boolean rowLevelSecurity,
        boolean allowlist,
        boolean log,
        Duration cacheTime,
        long maxDatabaseBytes,
        WorkerConfig workers) {
    private static final Duration CACHE_TIME = Duration.ofSeconds(60);
    private static final long MAX_DATABASE_BYTES = 100L << 30;

    /// With every switch off.
    public QueryConfig(
            Duration readLimit,
            Duration writeLimit,
            int maxStatementBytes,
            long maxRows,
            int maxTransactionStatements,
            long maxWriteBytes) {
        this(
                readLimit,
                writeLimit,
                maxStatementBytes,
                maxRows,
                maxTransactionStatements,
                maxWriteBytes,
                false,
                false,
                false,
                CACHE_TIME,
                MAX_DATABASE_BYTES,
                WorkerConfig.defaults());
    }

    /// The same limits with these switches.
    public QueryConfig with(boolean rowLevelSecurityOn, boolean allowlistOn, boolean logOn) {
        return new QueryConfig(
                readLimit,
                writeLimit,
                maxStatementBytes,
                maxRows,
                maxTransactionStatements,
                maxWriteBytes,
                rowLevelSecurityOn,
                allowlistOn,
                logOn,
                cacheTime,
                maxDatabaseBytes,
                workers);
    }

    /// The same with another bound of what clients may add.
    public QueryConfig withMaxDatabaseBytes(long bytes) {
        return new QueryConfig(
                readLimit,
                writeLimit,
                maxStatementBytes,
                maxRows,
                maxTransactionStatements,
                maxWriteBytes,
                rowLevelSecurity,
                allowlist,
                log,
                cacheTime,
                bytes,
                workers);
    }

    /// The same with other workers.
    public QueryConfig withWorkers(WorkerConfig other) {
        return new QueryConfig(
                readLimit,
                writeLimit,
                maxStatementBytes,
                maxRows,
                maxTransactionStatements,
                maxWriteBytes,
                rowLevelSecurity,
                allowlist,
                log,
                cacheTime,
                maxDatabaseBytes,
                other);
    }

    public QueryConfig withRowLevelSecurity(boolean isOn) {
        return with(isOn, allowlist, log);
    }

    public static QueryConfig defaults() {
        return new QueryConfig(
                Duration.ofSeconds(60), Duration.ofSeconds(10), 1_000_000, 100_000_000L, 1000, 256L << 20);
    }
}
