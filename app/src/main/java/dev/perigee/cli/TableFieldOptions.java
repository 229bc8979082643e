package dev.perigee.cli;

import dev.perigee.fault.Fault;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// A table's settings as options, one for each field of `POST` and `PATCH /replication/tables`. The server checks their
/// values.
final class TableFieldOptions {
    @Mixin
    private CopyOptions copy = new CopyOptions();

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            description = "Time between syncs, such as 1s or 5m. Default: 1m.")
    private @Nullable String interval;

    @Option(
            names = "--idle-interval",
            paramLabel = "DURATION",
            description = "Longest time between two looks while nothing changes: 5m. Default: --interval.")
    private @Nullable String idleInterval;

    @Option(
            names = "--cron",
            paramLabel = "FIELDS",
            description = "Instead of --interval: minute, hour, day, month, weekday.")
    private @Nullable String cron;

    @Option(names = "--time-zone", paramLabel = "ZONE", description = "The zone of --cron. Default: UTC.")
    private @Nullable String timeZone;

    @Option(names = "--columns", split = ",", paramLabel = "COLUMN", description = "Only these columns.")
    private @Nullable List<String> columns;

    @Option(names = "--exclude", split = ",", paramLabel = "COLUMN", description = "Not these columns.")
    private @Nullable List<String> exclude;

    @Option(
            names = "--mask",
            paramLabel = "COLUMN=EXPRESSION",
            description = "Copies the value of an SQL expression of the source in place of the column's.")
    private @Nullable Map<String, String> masks;

    @Option(names = "--page-rows", paramLabel = "N", description = "Rows in one page. Default: 1000.")
    private @Nullable Integer pageRows;

    @Option(
            names = "--null-cursor",
            paramLabel = "WORD",
            description = "Rows whose cursor is NULL: include or reject. Default: include.")
    private @Nullable String nullCursor;

    @Option(
            names = "--numeric",
            paramLabel = "WORD",
            description = "Numerics that SQLite cannot hold exactly: exact, text or real. Default: exact.")
    private @Nullable String numeric;

    @Option(
            names = "--timestamps",
            paramLabel = "WORD",
            description = "How timestamps are stored: iso or epoch_micros. Default: iso.")
    private @Nullable String timestamps;

    @Option(
            names = "--group",
            paramLabel = "NAME",
            description = "Tables of one group are copied as of one moment, together.")
    private @Nullable String group;

    @Option(
            names = "--deletes",
            paramLabel = "HOW",
            description = "Deleted rows: ignore, \"soft(COLUMN)\" or \"sweep(TIME)\". Default: ignore.")
    private @Nullable String deletes;

    @Option(
            names = "--max-deleted-share",
            paramLabel = "SHARE",
            description = "A sweep that would remove a larger share of the rows asks first. Default: 0.2.")
    private @Nullable Double maxDeletedShare;

    @Option(
            names = "--verify-every",
            paramLabel = "TIME",
            description = "How often to compare the copy with the source, such as 24h. Default: only on demand.")
    private @Nullable String verify;

    @Option(
            names = "--settle",
            paramLabel = "TIME",
            description = "How late rows may come, if the source cannot tell. Default: 10s.")
    private @Nullable String settle;

    @Option(
            names = "--stamped-by",
            paramLabel = "WORD",
            description = "Who writes the cursor's values: auto, source or client. Default: auto.")
    private @Nullable String stampedBy;

    @Option(
            names = "--dropped-columns",
            paramLabel = "WORD",
            description = "Columns that the source drops: keep or drop. Default: keep.")
    private @Nullable String droppedColumns;

    @Option(names = "--indexes", negatable = true, description = "Create the source's indexes on the copy.")
    private @Nullable Boolean hasIndexes;

    /// The options that can be unset: by the name that follows `--`, the field that becomes null.
    static final Map<String, String> UNSET = unset();

    private static Map<String, String> unset() {
        Map<String, String> unset = new LinkedHashMap<>();
        unset.put("cursor", "cursorColumn");
        unset.put("idle-interval", "idleInterval");
        unset.put("time-zone", "timeZone");
        unset.put("key", "key");
        unset.put("columns", "columns");
        unset.put("exclude", "exclude");
        unset.put("target", "target");
        unset.put("page-rows", "pageRows");
        unset.put("group", "group");
        unset.put("deletes", "deletes");
        unset.put("max-deleted-share", "maxDeletedShare");
        unset.put("verify-every", "verify");
        unset.put("settle", "settle");
        unset.put("where", "where");
        return unset;
    }

    /// The values that were given, by field name.
    Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        put(fields, "mode", copy.mode);
        put(fields, "cursorColumn", copy.cursor);
        put(fields, "interval", interval);
        put(fields, "idleInterval", idleInterval);
        put(fields, "cron", cron);
        put(fields, "timeZone", timeZone);
        put(fields, "key", copy.key);
        if (columns != null && masks != null) {
            throw Fault.CONFIG_INVALID.in(
                    "the command line",
                    "--columns and --mask cannot be used together",
                    "Nothing was changed",
                    "name the columns that are not to be copied with --exclude");
        }
        put(fields, "columns", masks == null ? columns : masks);
        put(fields, "exclude", exclude);
        put(fields, "target", copy.target);
        put(fields, "pageRows", pageRows);
        put(fields, "nullCursor", nullCursor);
        put(fields, "numeric", numeric);
        put(fields, "timestamps", timestamps);
        put(fields, "group", group);
        put(fields, "deletes", deletes);
        put(fields, "maxDeletedShare", maxDeletedShare);
        put(fields, "verify", verify);
        put(fields, "settle", settle);
        put(fields, "stampedBy", stampedBy);
        put(fields, "droppedColumns", droppedColumns);
        put(fields, "rowSecurity", copy.rowSecurity);
        put(fields, "where", copy.where);
        put(fields, "indexes", hasIndexes);
        return fields;
    }

    private static void put(Map<String, Object> fields, String field, @Nullable Object value) {
        if (value != null) fields.put(field, value);
    }
}
