package dev.perigee.query;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// A table of the replica as its policies need to know it.
///
/// @param columns as `SELECT *` gives them
/// @param writable those of them that are not computed
/// @param key its primary key's columns, in key order
/// @param hasRowid whether rows are numbered; else the key tells them apart
/// @param uniques the columns of each unique index
record PolicedTable(
        String name,
        List<String> columns,
        List<String> writable,
        List<String> key,
        boolean hasRowid,
        List<List<String>> uniques) {

    private static final String TABLE =
            "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name = ?1 COLLATE NOCASE";
    private static final String COLUMNS = "SELECT name, pk, hidden FROM pragma_table_xinfo(?1, 'main') ORDER BY cid";
    private static final String UNIQUES =
            "SELECT name FROM pragma_index_list(?1, 'main') WHERE \"unique\" ORDER BY seq";
    private static final String INDEX = "SELECT name FROM pragma_index_info(?1, 'main') ORDER BY seqno";

    /// Empty for what is no ordinary table: views, virtual tables and what they keep.
    static Optional<PolicedTable> find(SqliteConnection connection, String wanted) {
        String name;
        boolean hasRowid;
        try (SqliteStatement table = connection.prepare(TABLE).bindText(1, wanted)) {
            if (!table.step()) return Optional.empty();
            name = String.valueOf(table.textAt(0));
            hasRowid = table.intAt(1) == 0;
        }
        List<String> columns = new ArrayList<>();
        List<String> writable = new ArrayList<>();
        TreeMap<Long, String> key = new TreeMap<>();
        try (SqliteStatement info = connection.prepare(COLUMNS).bindText(1, name)) {
            while (info.step()) {
                String column = String.valueOf(info.textAt(0));
                columns.add(column);
                if (info.intAt(2) == 0) writable.add(column);
                if (info.intAt(1) > 0) key.put(info.intAt(1), column);
            }
        }
        List<List<String>> uniques = new ArrayList<>();
        if (!key.isEmpty()) uniques.add(List.copyOf(key.values()));
        for (String index : names(connection, UNIQUES, name)) {
            List<String> indexed = names(connection, INDEX, index);
            if (!uniques.contains(indexed)) uniques.add(indexed);
        }
        return Optional.of(new PolicedTable(name, columns, writable, List.copyOf(key.values()), hasRowid, uniques));
    }

    /// Whether a unique index is on an expression, so that a conflict cannot be looked for by columns.
    boolean hasUniqueExpression() {
        return uniques.stream().anyMatch(columns -> columns.contains("null"));
    }

    private static List<String> names(SqliteConnection connection, String sql, String argument) {
        List<String> names = new ArrayList<>();
        try (SqliteStatement select = connection.prepare(sql).bindText(1, argument)) {
            while (select.step()) names.add(String.valueOf(select.textAt(0)));
        }
        return names;
    }
}
