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

/// The definition of a table of the replica, as far as policies need it.
///
/// @param columns the columns of `SELECT *`
/// @param writable those of the columns that are not generated
/// @param key the primary key's columns, in key order
/// @param hasRowid whether the table has rowids; if not, the key identifies its rows
/// @param uniques the unique constraints, including the rowid
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

    /// A unique index, or the rowid.
    ///
    /// @param columns the columns' names; null for an expression
    /// @param collations the index's collation for each column, which may differ from the column's own
    /// @param condition the condition of a partial index, as SQL; empty if all rows are in the index
    record Unique(List<@Nullable String> columns, List<String> collations, String condition) {}

    /// Reads the definition of a table. Empty if this is not an ordinary table, but a view, a virtual table or one of a
    /// virtual table's own tables.
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
        // A key without an index is the rowid itself.
        String number = keyColumns.size() == 1 && !hasKeyIndex ? keyColumns.getFirst() : rowidName(columns);
        if (hasRowid && number != null) uniques.add(new Unique(List.of(number), List.of("BINARY"), ""));
        return Optional.of(new PolicedTable(name, columns, writable, keyColumns, hasRowid, uniques));
    }

    /// Whether a unique index is on an expression. Conflicts with it cannot be found by comparing columns.
    boolean hasUniqueExpression() {
        return uniques.stream().anyMatch(unique -> unique.columns().stream().anyMatch(Objects::isNull));
    }

    /// A name of the rowid that no column has taken; null if all three are taken.
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

    /// The condition after the WHERE of a partial index.
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
