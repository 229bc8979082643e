package dev.perigee.config;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The settings of one replicated table, from `perigee.yaml` or from `POST /replication/tables`.
///
/// @param name the table's name at the source, `table` or `schema.table`; a part with dots or capitals is in double
///     quotes
/// @param finding how new and changed rows are found
/// @param schedule when the table is synced
/// @param layout what the copy looks like
/// @param pageRows rows in one page, 1 to 100 000
/// @param group name of the table's group; tables of one group are read in one snapshot and applied in one transaction
/// @param promises settings that keep the copy equal to its source
/// @param reading which rows and values are read
public record TableConfig(
        String name,
        Finding finding,
        Schedule schedule,
        Layout layout,
        int pageRows,
        Optional<String> group,
        GuaranteeSettings promises,
        Reading reading) {

    /// How new and changed rows are found.
    ///
    /// @param cursorColumn the column whose value grows with every insert and update; present in mode `cursor` only
    /// @param nullCursor whether rows whose cursor is NULL are copied
    public record Finding(Mode mode, Optional<String> cursorColumn, NullCursor nullCursor) {}

    /// When a table is synced.
    ///
    /// @param interval time between two syncs, at least one second
    /// @param idleInterval longest time between two looks while nothing changes: the time grows with the time since the
    ///     last change; empty where it stays the same
    /// @param cron a cron expression of five fields (minute first), used instead of the interval
    /// @param timeZone the time zone of the cron expression, such as `Europe/Zurich`; default UTC
    /// @param paused whether scheduled syncs are skipped
    public record Schedule(
            Duration interval,
            Optional<Duration> idleInterval,
            Optional<String> cron,
            Optional<String> timeZone,
            boolean paused) {}

    /// What a copy looks like.
    ///
    /// @param key columns that identify a row, for tables whose key the source's catalog does not tell; else empty
    /// @param columns the columns to copy; empty for all
    /// @param exclude columns not to copy
    /// @param target the copy's name; absent: the source table's name without its schema
    /// @param indexes whether the source's indexes are made on the copy too (never as unique ones)
    /// @param numeric how numerics are stored that no SQLite number holds exactly
    /// @param timestamps how timestamps are stored
    /// @param droppedColumns what happens to a copy's column after the source has dropped it
    public record Layout(
            List<String> key,
            List<String> columns,
            List<String> exclude,
            Optional<String> target,
            boolean indexes,
            NumericStorage numeric,
            TimestampStorage timestamps,
            DroppedColumns droppedColumns) {
        /// All columns under the table's own name, stored exactly.
        static final Layout DEFAULTS = new Layout(
                List.of(),
                List.of(),
                List.of(),
                Optional.empty(),
                false,
                NumericStorage.EXACT,
                TimestampStorage.ISO,
                DroppedColumns.KEEP);

        public Layout {
            key = List.copyOf(key);
            columns = List.copyOf(columns);
            exclude = List.copyOf(exclude);
        }

        /// The same with the columns named as given.
        public Layout withNames(List<String> keyNames, List<String> columnNames, List<String> excludedNames) {
            return new Layout(
                    keyNames, columnNames, excludedNames, target, indexes, numeric, timestamps, droppedColumns);
        }
    }

    /// Which rows and values of a table are read.
    ///
    /// @param rowSecurity what happens to a table whose row-level security hides rows from the source's user
    /// @param where a condition on the table's columns, in the source's SQL; only rows for which it is true are copied.
    ///     Empty for all rows
    /// @param masks by a column's name: an expression in the source's SQL, whose value is copied in place of the
    ///     column's
    public record Reading(RowSecurity rowSecurity, Optional<String> where, Map<String, String> masks) {
        /// The most characters in an expression.
        public static final int MAX_EXPRESSION = 4000;

        /// All rows as they are, and none of them may be hidden.
        static final Reading DEFAULTS = new Reading(RowSecurity.REFUSED, Optional.empty(), Map.of());

        public Reading {
            masks = Collections.unmodifiableMap(new LinkedHashMap<>(masks));
        }

        /// Whether the source has to check an expression.
        public boolean hasExpressions() {
            return where.isPresent() || !masks.isEmpty();
        }
    }

    /// How new and changed rows are found.
    public enum Mode {
        /// By a column whose value grows with every insert and update.
        CURSOR,
        /// By `xmin`: the transaction that wrote a row, which PostgreSQL keeps with each row.
        XMIN,
        /// New and changed rows are not searched for: all rows are fetched each time.
        FULL,
        /// By the source's log, which tells every change: nothing is searched for.
        LOG
    }

    /// What happens to rows whose cursor is NULL.
    public enum NullCursor {
        /// They are copied, all of them in each sync.
        INCLUDE,
        /// The cursor column must be NOT NULL, so that there are none.
        REJECT
    }

    /// How numerics are stored; `docs/types.md` has the details.
    public enum NumericStorage {
        EXACT,
        TEXT,
        REAL
    }

    /// How timestamps are stored; `docs/types.md` has the details.
    public enum TimestampStorage {
        ISO,
        EPOCH_MICROS
    }

    /// Who writes the cursor's values. It decides what can be proved about late rows.
    public enum StampedBy {
        /// Either of the others, as the column's default and triggers at the source suggest.
        AUTO,
        /// The source, from its own clock or a sequence, within the transaction that writes the row.
        SOURCE,
        /// The program that writes the row, from its own clock or with ids allocated in advance.
        CLIENT
    }

    /// What happens to a copy's column after the source has dropped it.
    public enum DroppedColumns {
        KEEP,
        DROP
    }

    /// What happens to a table whose row-level security at the source hides rows from the source's user.
    public enum RowSecurity {
        /// The table is not read: its copy would be mistaken for the whole table.
        REFUSED,
        /// Only the rows that the user sees are copied, and the guarantee covers only these.
        FILTERED
    }

    public static final int DEFAULT_PAGE_ROWS = 1000;
    public static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(60);
    public static final Duration MIN_INTERVAL = Duration.ofSeconds(1);
    public static final Duration MAX_INTERVAL = Duration.ofDays(366);

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
                new Finding(mode, cursorColumn, NullCursor.INCLUDE),
                new Schedule(interval, Optional.empty(), Optional.empty(), Optional.empty(), false),
                Layout.DEFAULTS,
                DEFAULT_PAGE_ROWS,
                Optional.empty(),
                GuaranteeSettings.defaults(),
                Reading.DEFAULTS);
    }

    /// See [Finding#mode()].
    public Mode mode() {
        return finding.mode();
    }

    /// See [Finding#cursorColumn()].
    public Optional<String> cursorColumn() {
        return finding.cursorColumn();
    }

    /// See [Finding#nullCursor()].
    public NullCursor nullCursor() {
        return finding.nullCursor();
    }

    /// See [Schedule#interval()].
    public Duration interval() {
        return schedule.interval();
    }

    /// See [Schedule#cron()].
    public Optional<String> cron() {
        return schedule.cron();
    }

    /// See [Schedule#timeZone()].
    public Optional<String> timeZone() {
        return schedule.timeZone();
    }

    /// See [Schedule#paused()].
    public boolean paused() {
        return schedule.paused();
    }

    /// See [Layout#key()].
    public List<String> key() {
        return layout.key();
    }

    /// See [Layout#columns()].
    public List<String> columns() {
        return layout.columns();
    }

    /// See [Layout#exclude()].
    public List<String> exclude() {
        return layout.exclude();
    }

    /// See [Layout#target()].
    public Optional<String> target() {
        return layout.target();
    }

    /// See [Layout#indexes()].
    public boolean indexes() {
        return layout.indexes();
    }

    /// See [Layout#numeric()].
    public NumericStorage numeric() {
        return layout.numeric();
    }

    /// See [Layout#timestamps()].
    public TimestampStorage timestamps() {
        return layout.timestamps();
    }

    /// See [Layout#droppedColumns()].
    public DroppedColumns droppedColumns() {
        return layout.droppedColumns();
    }

    /// See [Reading#rowSecurity()].
    public RowSecurity rowSecurity() {
        return reading.rowSecurity();
    }

    /// See [Reading#where()].
    public Optional<String> where() {
        return reading.where();
    }

    /// See [Reading#masks()].
    public Map<String, String> masks() {
        return reading.masks();
    }

    /// How long after its cursor value a row may still be committed, if the source cannot prove that no transaction is
    /// open.
    public Duration settle() {
        return promises.settle();
    }

    /// Who writes the cursor's values.
    public StampedBy stampedBy() {
        return promises.stampedBy();
    }

    /// Time between two verifications; absent: only on demand.
    public Optional<Duration> verify() {
        return promises.verify();
    }

    /// How rows that the source deleted leave the copy.
    public Deletes deletes() {
        return promises.deletes();
    }

    /// The share of the copy that a sweep may remove without a confirmation; above 0, at most 1.
    public double maxDeletedShare() {
        return promises.maxDeletedShare();
    }

    /// The same settings, paused or not.
    public TableConfig withPaused(boolean isPaused) {
        return toBuilder().paused(isPaused).build();
    }

    /// A builder that starts with these settings.
    public TableConfigBuilder toBuilder() {
        return new TableConfigBuilder(this);
    }
}
