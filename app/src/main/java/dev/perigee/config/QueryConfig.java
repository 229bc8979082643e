package dev.perigee.config;

import java.time.Duration;

/// Limits and switches for callers' statements.
///
/// @param limits the time, size and number of statements, rows and writes
/// @param rowLevelSecurity whether clients see and write only the rows that `tmp_rls_policies` allows
/// @param allowlist whether clients may run only the statements in `tmp_allowlist_queries`
/// @param log whether statements and their times are kept in `tmp_query_log`
/// @param cacheTime how long an answer of the external database is kept for requests that accept a cached one
/// @param workers settings of the processes that run clients' statements
public record QueryConfig(
        Limits limits,
        boolean rowLevelSecurity,
        boolean allowlist,
        boolean log,
        Duration cacheTime,
        WorkerConfig workers) {
    private static final Duration CACHE_TIME = Duration.ofSeconds(60);
    private static final long MAX_DATABASE_BYTES = 100L << 30;

    /// The time, size and number of statements, rows and writes.
    ///
    /// @param readLimit the longest time that a reading request may run
    /// @param writeLimit the longest time that a writing request may run; all other writes wait for it
    /// @param maxStatementBytes the longest SQL text, in UTF-16 units
    /// @param maxRows the most rows in one answer
    /// @param maxTransactionStatements the most statements in one `transaction` request
    /// @param maxWriteBytes the most bytes that one writing request may add to the WAL
    /// @param maxDatabaseBytes size of the replica's pages at which clients may add no more
    public record Limits(
            Duration readLimit,
            Duration writeLimit,
            int maxStatementBytes,
            long maxRows,
            int maxTransactionStatements,
            long maxWriteBytes,
            long maxDatabaseBytes) {}

    /// With every switch off and the defaults for the rest.
    public QueryConfig(
            Duration readLimit,
            Duration writeLimit,
            int maxStatementBytes,
            long maxRows,
            int maxTransactionStatements,
            long maxWriteBytes) {
        this(
                new Limits(
                        readLimit,
                        writeLimit,
                        maxStatementBytes,
                        maxRows,
                        maxTransactionStatements,
                        maxWriteBytes,
                        MAX_DATABASE_BYTES),
                false,
                false,
                false,
                CACHE_TIME,
                WorkerConfig.defaults());
    }

    /// The same limits with these switches.
    public QueryConfig with(boolean rowLevelSecurityOn, boolean allowlistOn, boolean logOn) {
        return new QueryConfig(limits, rowLevelSecurityOn, allowlistOn, logOn, cacheTime, workers);
    }

    /// The same with other limits.
    public QueryConfig with(Limits other) {
        return new QueryConfig(other, rowLevelSecurity, allowlist, log, cacheTime, workers);
    }

    /// The same with another limit on the replica's size.
    public QueryConfig withMaxDatabaseBytes(long bytes) {
        return with(new Limits(
                limits.readLimit,
                limits.writeLimit,
                limits.maxStatementBytes,
                limits.maxRows,
                limits.maxTransactionStatements,
                limits.maxWriteBytes,
                bytes));
    }

    /// The same with other settings of the workers.
    public QueryConfig withWorkers(WorkerConfig other) {
        return new QueryConfig(limits, rowLevelSecurity, allowlist, log, cacheTime, other);
    }

    public QueryConfig withRowLevelSecurity(boolean isOn) {
        return with(isOn, allowlist, log);
    }

    public static QueryConfig defaults() {
        return new QueryConfig(
                Duration.ofSeconds(60), Duration.ofSeconds(10), 1_000_000, 100_000_000L, 1000, 256L << 20);
    }
}
