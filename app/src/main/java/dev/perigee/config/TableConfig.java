package dev.perigee.config;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// One replicated table as an admin asked for it, from `perigee.yaml` or from `POST /replication/tables`.
///
/// @param name the table in the source, `table` or `schema.table`; a name's own dots and capitals in double quotes
/// @param cursorColumn the column whose value grows with every insert and update
/// @param interval time between two syncs, at least one second
/// @param cron a cron expression of five fields (minute first) instead of the interval
/// @param timeZone the zone the cron expression is read in, such as `Europe/Zurich`; UTC unless set
/// @param key columns that identify a row, where the source's catalog does not say; empty otherwise
/// @param columns the columns to copy; empty for all
/// @param exclude columns not to copy
/// @param target the copy's name; absent: the source table's name without its schema
/// @param pageRows rows in one page, 1 to 100 000
/// @param nullCursor whether rows with a NULL cursor are copied
/// @param indexes whether the source's indexes are made on the copy (never unique there)
/// @param numeric how numerics that are not exact as SQLite numbers are stored
/// @param timestamps how timestamps are stored
/// @param paused whether the schedule skips it
public record TableConfig(
        String name,
        String cursorColumn,
        Duration interval,
        Optional<String> cron,
        Optional<String> timeZone,
        List<String> key,
        List<String> columns,
        List<String> exclude,
        Optional<String> target,
        int pageRows,
        NullCursor nullCursor,
        boolean indexes,
        NumericStorage numeric,
        TimestampStorage timestamps,
        boolean paused) {

    /// What happens to rows whose cursor is NULL.
    public enum NullCursor {
        INCLUDE,
        REJECT
    }

    /// See the numeric rows of the type table.
    public enum NumericStorage {
        EXACT,
        TEXT,
        REAL
    }

    /// See the timestamp rows of the type table.
    public enum TimestampStorage {
        ISO,
        EPOCH_MICROS
    }

    public static final int DEFAULT_PAGE_ROWS = 1000;
    public static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(60);
    public static final Duration MIN_INTERVAL = Duration.ofSeconds(1);

    public TableConfig {
        key = List.copyOf(key);
        columns = List.copyOf(columns);
        exclude = List.copyOf(exclude);
    }

    /// The defaults for a table and its cursor column.
    public static TableConfig of(String name, String cursorColumn, Duration interval) {
        return new TableConfig(
                name,
                cursorColumn,
                interval,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of(),
                List.of(),
                Optional.empty(),
                DEFAULT_PAGE_ROWS,
                NullCursor.INCLUDE,
                false,
                NumericStorage.EXACT,
                TimestampStorage.ISO,
                false);
    }
}
