package dev.perigee.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/// Settings of the replication plugin.
///
/// @param tables the tables that `perigee.yaml` names
/// @param parallelTables the most tables synced at once, 1 to 32
/// @param keepRuns the most run records kept for each table
/// @param retryFirst wait before the first retry of a failing table
/// @param retryMax the longest wait between two retries
/// @param verifyRowsPerSecond the most rows that a verification compares in a second; 0 for no limit
/// @param adminsWriteCopies whether admins may change rows of copies; no guarantee covers such changes
/// @param minFreshInterval the least time between two syncs of a table that readers ask for who need fresh rows
/// @param places the place in the configuration file (file, line, column) of each of `tables`, by the table's name
public record ReplicationConfig(
        List<TableConfig> tables,
        int parallelTables,
        int keepRuns,
        Duration retryFirst,
        Duration retryMax,
        int verifyRowsPerSecond,
        boolean adminsWriteCopies,
        Duration minFreshInterval,
        Map<String, String> places) {
    private static final Duration MIN_FRESH_INTERVAL = Duration.ofMillis(100);

    public ReplicationConfig {
        tables = List.copyOf(tables);
        places = Map.copyOf(places);
    }

    /// With no limit on the rate of verifications, and copies that only Perigee writes.
    public ReplicationConfig(
            List<TableConfig> tables, int parallelTables, int keepRuns, Duration retryFirst, Duration retryMax) {
        this(tables, parallelTables, keepRuns, retryFirst, retryMax, 0, false, MIN_FRESH_INTERVAL, Map.of());
    }

    public static ReplicationConfig defaults() {
        return new ReplicationConfig(List.of(), 2, 100, Duration.ofSeconds(1), Duration.ofSeconds(15));
    }
}
