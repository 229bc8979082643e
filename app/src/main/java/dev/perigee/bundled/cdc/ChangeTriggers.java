package dev.perigee.bundled.cdc;

import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The triggers that record what happens to one table's rows.
///
/// `REPLACE` deletes rows without firing their triggers. So the rows that conflict with a new row are noted before it
/// is written. Once it has been written they are recorded as deleted, because it could not be written while they
/// existed.
final class ChangeTriggers {
    /// Maximum number of values passed in one call of a function, below SQLite's limit on arguments.
    private static final int CHUNK = 100;

    private static final List<String> KINDS = List.of("insert", "update", "delete", "before_insert", "before_update");

    /// @param keyPart its place in the primary key, from 1; 0 outside
    private record Column(String name, int keyPart) {}

    private ChangeTriggers() {}

    static List<String> names(String table, String prefix) {
        return KINDS.stream().map(kind -> prefix + kind + "_" + table).toList();
    }

    /// The `CREATE TRIGGER` statements for `table`.
    static List<String> of(Transaction tx, String table, RowImages images, String prefix) {
        List<Column> columns = columns(tx, table);
        int shape = images.shape(columns.stream().map(Column::name).toList());
        String fresh = image("NEW", columns, shape);
        String old = image("OLD", columns, shape);
        String name = literal(table);
        UniqueKeys unique =
                UniqueKeys.of(tx, table, columns.stream().map(Column::name).toList(), key(columns));
        List<String> conflicts = unique.conflicts();
        String keys = keys(images.table(table), unique);
        String replaced = conflicts.isEmpty()
                ? ""
                : "INSERT INTO tmp_cdc_log (action, table_name, data, old) SELECT 'DELETE', %s, value, value FROM json_each(perigee_change_replaced(%s)); "
                        .formatted(name, keys);
        String row =
                "INSERT INTO tmp_cdc_log (action, table_name, data, old) VALUES (perigee_change_action(%s), %s, %s, %s)";
        List<String> made = new ArrayList<>();
        made.add(trigger(
                prefix + "insert_" + table,
                "AFTER INSERT",
                table,
                replaced + row.formatted("'INSERT'", name, fresh, "NULL")));
        made.add(trigger(
                prefix + "update_" + table,
                "AFTER UPDATE",
                table,
                replaced + row.formatted("'UPDATE'", name, fresh, old)));
        made.add(trigger(prefix + "delete_" + table, "AFTER DELETE", table, row.formatted("'DELETE'", name, old, old)));
        if (conflicts.isEmpty()) return made;
        String identity = identity(tx, table, columns);
        String note = "SELECT perigee_change_before(%s); SELECT perigee_change_note(%s) FROM main.%s AS t WHERE (%s)"
                .formatted(keys, image("t", columns, shape), SqlNames.quoted(table), String.join(" OR ", conflicts));
        made.add(trigger(prefix + "before_insert_" + table, "BEFORE INSERT", table, note));
        made.add(trigger(
                prefix + "before_update_" + table, "BEFORE UPDATE", table, note + " AND NOT (" + identity + ")"));
        return made;
    }

    private static String trigger(String name, String event, String table, String body) {
        return "CREATE TEMP TRIGGER %s %s ON main.%s FOR EACH ROW BEGIN %s; END"
                .formatted(SqlNames.quoted(name), event, SqlNames.quoted(table), body);
    }

    /// SQL for a row as a JSON object, or for its key only if the whole row would be too large.
    private static String image(String row, List<Column> columns, int shape) {
        String all = members(row, columns, shape, _ -> true);
        String key = members(row, columns, shape, column -> column.keyPart() > 0);
        return "coalesce(perigee_change_image(%s), perigee_change_image(%s))".formatted(all, key);
    }

    private static String members(
            String row, List<Column> columns, int shape, java.util.function.Predicate<Column> wanted) {
        List<Integer> indexes = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) if (wanted.test(columns.get(i))) indexes.add(i);
        if (indexes.isEmpty()) return "''";
        List<String> chunks = new ArrayList<>();
        int from = 0;
        while (from < indexes.size()) {
            // A chunk is a run of adjacent columns, so that the index of the first tells which columns it has.
            int to = from + 1;
            while (to < indexes.size() && to - from < CHUNK && indexes.get(to) == indexes.get(to - 1) + 1) to++;
            String values = indexes.subList(from, to).stream()
                    .map(i -> row + "." + SqlNames.quoted(columns.get(i).name()))
                    .collect(Collectors.joining(", "));
            chunks.add("perigee_change_members(%d, %d, %s)".formatted(shape, indexes.get(from), values));
            from = to;
        }
        return String.join(" || ',' || ", chunks);
    }

    private static List<Column> columns(Transaction tx, String table) {
        List<Column> columns = new ArrayList<>();
        SqliteStatement select = tx.statement(
                        "SELECT name, pk FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 1 ORDER BY cid")
                .bindText(1, table);
        while (select.step()) columns.add(new Column(String.valueOf(select.textAt(0)), (int) select.intAt(1)));
        return columns;
    }

    private static Optional<String> key(List<Column> columns) {
        List<Column> key =
                columns.stream().filter(column -> column.keyPart() > 0).toList();
        return key.size() == 1 ? Optional.of(key.getFirst().name()) : Optional.empty();
    }

    private static String keys(int table, UniqueKeys unique) {
        return unique.columns().stream()
                .limit(CHUNK)
                .map(column -> ", NEW." + SqlNames.quoted(column))
                .collect(Collectors.joining("", String.valueOf(table), ""));
    }

    /// SQL condition that `t` is the row that is being updated.
    private static String identity(Transaction tx, String table, List<Column> columns) {
        SqliteStatement select = tx.statement("SELECT wr FROM pragma_table_list(?1) WHERE schema = 'main'")
                .bindText(1, table);
        boolean hasRowid = !select.step() || select.intAt(0) == 0;
        select.reset();
        if (hasRowid) {
            // A name that no column has means the rowid. If columns have all three, the rowid cannot be read.
            for (String rowid : List.of("rowid", "_rowid_", "oid")) {
                if (columns.stream().noneMatch(column -> column.name().equalsIgnoreCase(rowid))) {
                    return "t.%s = OLD.%s".formatted(rowid, rowid);
                }
            }
        }
        boolean hasKey = columns.stream().anyMatch(column -> column.keyPart() > 0);
        return columns.stream()
                .filter(column -> !hasKey || column.keyPart() > 0)
                .map(column -> "t.%1$s IS OLD.%1$s".formatted(SqlNames.quoted(column.name())))
                .collect(Collectors.joining(" AND "));
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }
}
