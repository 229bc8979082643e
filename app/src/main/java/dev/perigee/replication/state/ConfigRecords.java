package dev.perigee.replication.state;

import dev.perigee.config.Deletes;
import dev.perigee.config.GuaranteeSettings;
import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.DroppedColumns;
import dev.perigee.config.TableConfig.Finding;
import dev.perigee.config.TableConfig.Layout;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.config.TableConfig.NullCursor;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.Reading;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.config.TableConfig.Schedule;
import dev.perigee.config.TableConfig.StampedBy;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.plugin.Json;
import dev.perigee.replication.copy.NameList;
import dev.perigee.replication.state.ConfiguredTable.Origin;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.type.TypeReference;

/// `tmp_replication_config`: which tables are replicated, and with which settings.
public final class ConfigRecords {
    /// Stands for "no cursor" in `cursor_column`, because the first version of the table made that column NOT NULL.
    private static final String NO_CURSOR = "";

    private ConfigRecords() {}

    /// Records the tables of the configuration file, and gives them a state if they have none.
    ///
    /// @return all tables that are recorded then
    public static List<ConfiguredTable> remember(Transaction tx, List<TableConfig> ofFile) {
        Set<String> paused = new HashSet<>();
        all(tx).stream()
                .filter(known -> known.config().paused())
                .forEach(known -> paused.add(known.config().name()));
        for (TableConfig config : ofFile) {
            // A pause survives the restart, because the reason for it may still hold.
            TableConfig effective = paused.contains(config.name()) ? config.withPaused(true) : config;
            put(tx, new ConfiguredTable(effective, Origin.FILE));
            StateRecords.ensure(tx, config.name());
        }
        return all(tx);
    }

    public static void put(Transaction tx, ConfiguredTable table) {
        TableConfig config = table.config();
        SqliteStatement insert = tx.statement("""
                INSERT OR REPLACE INTO tmp_replication_config (name, origin, cursor_column, interval_ms, cron, time_zone,
                    key, columns, exclude, target, page_rows, null_cursor, indexes, numeric, timestamps, paused, mode,
                    group_name, deletes, max_deleted_share, verify_ms, settle_ms, stamped_by, dropped_columns,
                    row_security, where_condition, masks, idle_interval_ms)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                    ?22, ?23, ?24, ?25, ?26, ?27, ?28)""")
                .bindText(1, config.name())
                .bindText(2, word(table.origin()))
                .bindText(3, config.cursorColumn().orElse(NO_CURSOR))
                .bindInt(4, config.interval().toMillis())
                .bindText(5, config.cron().orElse(null))
                .bindText(6, config.timeZone().orElse(null))
                .bindText(7, NameList.toJson(config.key()))
                .bindText(8, NameList.toJson(config.columns()))
                .bindText(9, NameList.toJson(config.exclude()))
                .bindText(10, config.target().orElse(null))
                .bindInt(11, config.pageRows())
                .bindText(12, word(config.nullCursor()))
                .bindInt(13, config.indexes() ? 1 : 0)
                .bindText(14, word(config.numeric()))
                .bindText(15, word(config.timestamps()))
                .bindInt(16, config.paused() ? 1 : 0)
                .bindText(17, word(config.mode()))
                .bindText(18, config.group().orElse(null))
                .bindText(19, config.deletes().text())
                .bindReal(20, config.maxDeletedShare())
                .bindInt(22, config.settle().toMillis())
                .bindText(23, word(config.stampedBy()))
                .bindText(24, word(config.droppedColumns()))
                .bindText(25, word(config.rowSecurity()))
                .bindText(26, config.where().orElse(null))
                .bindText(27, config.masks().isEmpty() ? null : Json.MAPPER.writeValueAsString(config.masks()));
        config.verify().ifPresentOrElse(verify -> insert.bindInt(21, verify.toMillis()), () -> insert.bindNull(21));
        config.schedule()
                .idleInterval()
                .ifPresentOrElse(idle -> insert.bindInt(28, idle.toMillis()), () -> insert.bindNull(28));
        insert.run();
    }

    public static List<ConfiguredTable> all(Transaction tx) {
        SqliteStatement rows = tx.statement("""
                SELECT name, origin, cursor_column, interval_ms, cron, time_zone, key, columns, exclude, target,
                       page_rows, null_cursor, indexes, numeric, timestamps, paused, mode, group_name, deletes,
                       max_deleted_share, verify_ms, settle_ms, stamped_by, dropped_columns, row_security,
                       where_condition, masks, idle_interval_ms
                FROM tmp_replication_config ORDER BY name""");
        List<ConfiguredTable> tables = new ArrayList<>();
        while (rows.step()) {
            tables.add(new ConfiguredTable(
                    new TableConfig(
                            text(rows, 0),
                            finding(rows),
                            schedule(rows),
                            layout(rows),
                            (int) rows.intAt(10),
                            Optional.ofNullable(rows.textAt(17)),
                            promises(rows),
                            reading(rows)),
                    Origin.valueOf(name(rows, 1))));
        }
        return tables;
    }

    private static Finding finding(SqliteStatement rows) {
        return new Finding(
                Mode.valueOf(name(rows, 16)),
                Optional.of(text(rows, 2)).filter(column -> !column.equals(NO_CURSOR)),
                NullCursor.valueOf(name(rows, 11)));
    }

    private static Schedule schedule(SqliteStatement rows) {
        return new Schedule(
                Duration.ofMillis(rows.intAt(3)),
                millis(rows, 27),
                Optional.ofNullable(rows.textAt(4)),
                Optional.ofNullable(rows.textAt(5)),
                rows.intAt(15) != 0);
    }

    private static Layout layout(SqliteStatement rows) {
        return new Layout(
                NameList.ofJson(text(rows, 6)),
                NameList.ofJson(text(rows, 7)),
                NameList.ofJson(text(rows, 8)),
                Optional.ofNullable(rows.textAt(9)),
                rows.intAt(12) != 0,
                NumericStorage.valueOf(name(rows, 13)),
                TimestampStorage.valueOf(name(rows, 14)),
                DroppedColumns.valueOf(name(rows, 23)));
    }

    private static Reading reading(SqliteStatement rows) {
        String masks = rows.textAt(26);
        return new Reading(
                RowSecurity.valueOf(name(rows, 24)),
                Optional.ofNullable(rows.textAt(25)),
                masks == null ? Map.of() : Json.MAPPER.readValue(masks, new TypeReference<Map<String, String>>() {}));
    }

    private static GuaranteeSettings promises(SqliteStatement rows) {
        return new GuaranteeSettings(
                Duration.ofMillis(rows.intAt(21)),
                StampedBy.valueOf(name(rows, 22)),
                millis(rows, 20),
                Deletes.parse(text(rows, 18)),
                rows.realAt(19));
    }

    private static Optional<Duration> millis(SqliteStatement rows, int column) {
        return rows.valueAt(column) instanceof Value.Int(long millis)
                ? Optional.of(Duration.ofMillis(millis))
                : Optional.empty();
    }

    /// The word for an enum's value in the replica and in JSON: its name in lower case.
    public static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static String text(SqliteStatement rows, int column) {
        return String.valueOf(rows.textAt(column));
    }

    private static String name(SqliteStatement rows, int column) {
        return text(rows, column).toUpperCase(Locale.ROOT);
    }
}
