package dev.perigee.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/// Settings of the replication plugin.
///
/// @param tables those `perigee.yaml` names
/// @param parallelTables tables synced at once, 1 to 32
/// @param keepRuns run records kept for each table
/// @param retryFirst wait before the first retry of a failing table
/// @param retryMax longest wait between two retries
/// @param verifyRowsPerSecond rows a verification compares in a second at most; 0 for no limit
/// @param adminsWriteCopies whether admins may change rows of copies, which no guarantee covers
/// @param places where the configuration file names each of `tables`, as file, line and column, by the table's name
public record ReplicationConfig(
        List<TableConfig> tables,
        int parallelTables,
        int keepRuns,
        Duration retryFirst,
        Duration retryMax,
        int verifyRowsPerSecond,
        boolean adminsWriteCopies,
        Map<String, String> places) {

    public ReplicationConfig {
        tables = List.copyOf(tables);
        places = Map.copyOf(places);
    }

    /// Tables that no file names.
    public ReplicationConfig(
            List<TableConfig> tables,
            int parallelTables,
            int keepRuns,
            Duration retryFirst,
            Duration retryMax,
            int verifyRowsPerSecond,
            boolean adminsWriteCopies) {
        this(tables, parallelTables, keepRuns, retryFirst, retryMax, verifyRowsPerSecond, adminsWriteCopies, Map.of());
    }

    /// Verifications without a limit on their rate, and copies that nobody but Perigee writes.
    public ReplicationConfig(
            List<TableConfig> tables, int parallelTables, int keepRuns, Duration retryFirst, Duration retryMax) {
        this(tables, parallelTables, keepRuns, retryFirst, retryMax, 0, false);
    }

    public static ReplicationConfig defaults() {
        return new ReplicationConfig(List.of(), 2, 100, Duration.ofSeconds(1), Duration.ofSeconds(15));
    }
}
