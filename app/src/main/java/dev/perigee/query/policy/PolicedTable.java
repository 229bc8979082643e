package dev.perigee.query.policy;

import dev.perigee.query.sql.SqlWords;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A table of the replica as its policies need to know it.
///
/// @param columns as `SELECT *` gives them
/// @param writable those of them that are not computed
/// @param key its primary key's columns, in key order
/// @param hasRowid whether rows are numbered; else the key tells them apart
/// @param uniques what no two rows may have in common, the row's number included
record PolicedTable(
        String name,
        List<String> columns,
        List<String> writable,
        List<String> key,
        boolean hasRowid,
        List<Unique> uniques) {

    private static final String TABLE =
            "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name = ?1 COLLATE NOCASE";
    private static final String COLUMNS = "SELECT name, pk, hidden FROM pragma_table_xinfo(?1, 'main') ORDER BY cid";
    private static final String UNIQUES =
            "SELECT name, partial, origin FROM pragma_index_list(?1, 'main') WHERE \"unique\" ORDER BY seq";
    private static final String INDEX =
            "SELECT name, coll FROM pragma_index_xinfo(?1, 'main') WHERE key ORDER BY seqno";
    private static final String SQL = "SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND name = ?1";

    /// A unique index, or what the rows are numbered by.
    ///
    /// @param columns the names; null for an expression
    /// @param collations how the index compares each, which need not be how the column does
    /// @param condition which rows are in it, as SQL; empty for all
    record Unique(List<@Nullable String> columns, List<String> collations, String condition) {}

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
        List<String> keyColumns = List.copyOf(key.values());
        List<Unique> uniques = new ArrayList<>();
        boolean hasKeyIndex = false;
        try (SqliteStatement list = connection.prepare(UNIQUES).bindText(1, name)) {
            while (list.step()) {
                uniques.add(unique(connection, String.valueOf(list.textAt(0)), list.intAt(1) == 1));
                hasKeyIndex |= "pk".equals(list.textAt(2));
            }
        }
        // A key without an index is the number itself.
        String number = keyColumns.size() == 1 && !hasKeyIndex ? keyColumns.getFirst() : rowidName(columns);
        if (hasRowid && number != null) uniques.add(new Unique(List.of(number), List.of("BINARY"), ""));
        return Optional.of(new PolicedTable(name, columns, writable, keyColumns, hasRowid, uniques));
    }

    /// Whether a unique index is on an expression, so that a conflict cannot be looked for by columns.
    boolean hasUniqueExpression() {
        return uniques.stream().anyMatch(unique -> unique.columns().stream().anyMatch(Objects::isNull));
    }

    /// The name of the rowid that no column has taken; null where all are.
    static @Nullable String rowidName(List<String> columns) {
        for (String name : List.of("rowid", "oid", "_rowid_")) {
            if (columns.stream().noneMatch(name::equalsIgnoreCase)) return name;
        }
        return null;
    }

    private static Unique unique(SqliteConnection connection, String index, boolean isPartial) {
        List<@Nullable String> columns = new ArrayList<>();
        List<String> collations = new ArrayList<>();
        try (SqliteStatement info = connection.prepare(INDEX).bindText(1, index)) {
            while (info.step()) {
                columns.add(info.textAt(0));
                collations.add(String.valueOf(info.textAt(1)));
            }
        }
        return new Unique(columns, collations, isPartial ? condition(connection, index) : "");
    }

    /// What stands after the WHERE of the index.
    private static String condition(SqliteConnection connection, String index) {
        String sql;
        try (SqliteStatement select = connection.prepare(SQL).bindText(1, index)) {
            select.step();
            sql = String.valueOf(select.textAt(0));
        }
        int depth = 0;
        for (SqlWords.Word word : SqlWords.of(sql)) {
            if (word.is("(")) depth++;
            else if (word.is(")")) depth--;
            else if (depth == 0 && word.is("WHERE")) return sql.substring(word.end());
        }
        throw new IllegalStateException("the partial index " + index + " has no WHERE");
    }
}
