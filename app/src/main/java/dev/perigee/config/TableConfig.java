package dev.perigee.config;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// One replicated table as an admin asked for it, from `perigee.yaml` or from `POST /replication/tables`.
///
/// @param name the table in the source, `table` or `schema.table`; a name's own dots and capitals in double quotes
/// @param mode how rows that are new or changed are found
/// @param cursorColumn the column whose value grows with every insert and update; present in mode `cursor` alone
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
/// @param group tables of one group are read in one snapshot and applied in one transaction
/// @param promises what makes sure that the copy is its source
/// @param droppedColumns what becomes of a copy's column that the source dropped
/// @param rowSecurity what becomes of a table whose policies hide rows from the source's user
/// @param paused whether the schedule skips it
public record TableConfig(
        String name,
        Mode mode,
        Optional<String> cursorColumn,
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
        Optional<String> group,
        GuaranteeSettings promises,
        DroppedColumns droppedColumns,
        RowSecurity rowSecurity,
        boolean paused) {

    /// How rows that are new or changed are found.
    public enum Mode {
        /// By a column whose value grows with every insert and update.
        CURSOR,
        /// By the transaction that wrote them, which PostgreSQL keeps with each row.
        XMIN,
        /// All rows are fetched each time.
        FULL
    }

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

    /// Who writes the cursor's values, which decides what can be proved of them.
    public enum StampedBy {
        /// As the column's default and triggers at the source suggest.
        AUTO,
        /// The source's own clock or sequence, within the transaction.
        SOURCE,
        /// Whoever writes the row, by another clock or with ids handed out ahead.
        CLIENT
    }

    /// What becomes of a copy's column that the source dropped.
    public enum DroppedColumns {
        KEEP,
        DROP
    }

    /// What becomes of a table whose policies at the source hide rows from the source's user.
    public enum RowSecurity {
        /// It is not read: the copy would be taken for the whole table.
        REFUSED,
        /// The rows that the user sees are read, and no more is promised of them.
        FILTERED
    }

    public static final int DEFAULT_PAGE_ROWS = 1000;
    public static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(60);
    public static final Duration MIN_INTERVAL = Duration.ofSeconds(1);
    public static final Duration MAX_INTERVAL = Duration.ofDays(366);

    public TableConfig {
        key = List.copyOf(key);
        columns = List.copyOf(columns);
        exclude = List.copyOf(exclude);
    }

    /// The defaults for a table and its cursor column.
    public static TableConfig of(String name, String cursorColumn, Duration interval) {
        return of(name, Mode.CURSOR, Optional.of(cursorColumn), interval);
    }

    /// The defaults for a table without a cursor column.
    ///
    /// @param mode any but [Mode#CURSOR]
    public static TableConfig of(String name, Mode mode, Duration interval) {
        if (mode == Mode.CURSOR) throw new IllegalArgumentException("mode cursor needs a cursor column");
        return of(name, mode, Optional.empty(), interval);
    }

    private static TableConfig of(String name, Mode mode, Optional<String> cursorColumn, Duration interval) {
        return new TableConfig(
                name,
                mode,
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
                Optional.empty(),
                GuaranteeSettings.defaults(),
                DroppedColumns.KEEP,
                RowSecurity.REFUSED,
                false);
    }

    /// How long rows may come late, where the source cannot prove that no transaction is still open.
    public Duration settle() {
        return promises.settle();
    }

    /// Who writes the cursor's values.
    public StampedBy stampedBy() {
        return promises.stampedBy();
    }

    /// Time between two verifications; absent: none but on demand.
    public Optional<Duration> verify() {
        return promises.verify();
    }

    /// How rows that the source deleted leave the copy.
    public Deletes deletes() {
        return promises.deletes();
    }

    /// The share of the copy that a sweep may remove without asking, above 0 and 1 at most.
    public double maxDeletedShare() {
        return promises.maxDeletedShare();
    }

    /// The same settings with or without a pause.
    public TableConfig withPaused(boolean isPaused) {
        return toBuilder().paused(isPaused).build();
    }

    /// These settings, to be changed.
    public TableConfigBuilder toBuilder() {
        return new TableConfigBuilder(this);
    }
}
