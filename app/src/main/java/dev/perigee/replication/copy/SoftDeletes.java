package dev.perigee.replication.copy;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.config.Deletes;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Soft deletes: rows that the source keeps and marks as deleted. Such a row is removed from the copy when it arrives,
/// and is inserted again when it arrives unmarked.
///
/// A row is marked if its mark column is not NULL, false, zero or empty text. In a timestamp column every value but
/// NULL is a mark, even one that the copy stores as zero.
public final class SoftDeletes {
    private final String column;
    private final int index;
    private final boolean isTime;
    private final String table;
    private final List<String> key;

    private SoftDeletes(CopyDefinition definition, String column, String table) {
        List<String> columns = definition.columnNames();
        this.column = column;
        this.index = columns.indexOf(column);
        this.isTime = isTime(definition.columns().get(index).sourceType());
        this.table = table;
        this.key = definition.key();
    }

    /// @param table the table from which marked rows are removed
    /// @return empty where the settings name no mark column
    public static Optional<SoftDeletes> of(CopyDefinition definition, String table) {
        String column = definition.choices().softColumn();
        return column == null ? Optional.empty() : Optional.of(new SoftDeletes(definition, column, table));
    }

    /// The name of the mark column; null for none.
    static @Nullable String column(TableConfig config) {
        return config.deletes() instanceof Deletes.Soft(String column) ? column : null;
    }

    /// Checks that the mark column can tell deleted rows from others: it exists, is copied, and does not always have a
    /// value.
    ///
    /// @param copied the columns of the copy
    /// @throws dev.perigee.fault.PerigeeException [Fault#SOURCE_COLUMN_MISSING], [Fault#INVALID_REQUEST]
    static void check(TableConfig config, SourceTable table, List<CopyColumn> copied, String where) {
        String name = column(config);
        if (name == null) return;
        if (table.access().isUnreadable(name)) throw table.unreadable(where, name);
        SourceColumn column = table.column(name)
                .orElseThrow(() -> Fault.SOURCE_COLUMN_MISSING.in(
                        where,
                        "`deletes` names the column \"%s\", which %s does not have".formatted(name, table.id()),
                        "Nothing was changed"));
        if (copied.stream().noneMatch(c -> c.name().equals(name))) {
            throw refused(where, name, "is not among the columns copied");
        }
        boolean isKey = (config.key().isEmpty() ? table.key().columns() : config.key()).contains(name);
        if (isKey || column.isNotNull() && isTime(column.sourceType())) {
            throw refused(where, name, "always has a value, so every row would count as deleted");
        }
    }

    /// Whether the row is marked.
    public boolean isMarked(Batch page, int row) {
        return switch (page.value(row, index)) {
            case Value.Null _ -> false;
            case Value.Int(long number) -> isTime || number != 0;
            case Value.Real(double number) -> number != 0;
            case Value.Text(String text) -> isTime || !isFalse(text);
            case Value.Blob _ -> true;
        };
    }

    /// Removes the rows whose keys belong to a marked row in `stage`.
    ///
    /// @return rows removed
    long removeAll(Transaction tx, String stage) {
        tx.connection()
                .exec("DELETE FROM %s WHERE (%s) IN (SELECT %s FROM %s WHERE %s)"
                        .formatted(quoted(table), quoted(key), quoted(key), quoted(stage), condition()));
        return tx.connection().changes();
    }

    /// [#isMarked] as a SQL condition that is never NULL.
    String condition() {
        String name = quoted(column);
        if (isTime) return "(%s IS NOT NULL)".formatted(name);
        return """
                (CASE typeof(%1$s) WHEN 'null' THEN 0 WHEN 'text' THEN trim(%1$s, '0.-') <> '' AND lower(%1$s) <> 'false' \
                WHEN 'blob' THEN 1 ELSE %1$s <> 0 END)""".formatted(name);
    }

    /// Exact numerics and bit strings may be stored as text, so zero has more than one spelling.
    private static boolean isFalse(String text) {
        return text.equalsIgnoreCase("false") || text.chars().allMatch(c -> c == '0' || c == '.' || c == '-');
    }

    private static boolean isTime(String sourceType) {
        return sourceType.startsWith("timestamp") || sourceType.equals("date");
    }

    private static RuntimeException refused(String where, String column, String why) {
        return Fault.INVALID_REQUEST.in(
                where, "`deletes` names the column \"%s\", which %s".formatted(column, why), "Nothing was changed");
    }
}
