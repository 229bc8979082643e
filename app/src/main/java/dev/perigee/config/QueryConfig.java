package dev.perigee.config;

import java.time.Duration;

/// Limits and switches for callers' statements.
///
/// @param readLimit the longest time that a reading request may run
/// @param writeLimit the longest time that a writing request may run; all other writes wait for it
/// @param maxStatementBytes the longest SQL text, in UTF-16 units
/// @param maxRows the most rows in one answer
/// @param maxTransactionStatements the most statements in one `transaction` request
/// @param maxWriteBytes the most bytes that one writing request may add to the WAL
/// @param allowlist whether clients may run only the statements in `tmp_allowlist_queries`
/// @param log whether statements and their times are kept in `tmp_query_log`
/// @param cacheTime how long an answer of the external database is kept for requests that accept a cached one
/// @param maxDatabaseBytes size of the replica's pages at which clients may add no more
/// @param rowLevelSecurity whether clients see and write only the rows that `tmp_rls_policies` allows
/// @param workers settings of the processes that run clients' statements
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

    /// With every switch off and the defaults for the rest.
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

    /// The same with another limit on the replica's size.
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

    /// The same with other settings of the workers.
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
