package dev.perigee.replication.copy;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Removes the rows of a table that the copy must not have any more, by their keys. A stage remembers such keys in a
/// table next to it, because the rows are to be removed from the copy, when the stage is merged.
public final class LeavingRows {
    private static final String PREFIX = "tmp_replication_leaving_";

    private final CopyDefinition definition;
    private final String table;
    private final boolean isStage;
    private final int[] keyColumns;
    private final String remove;

    /// @param table the table that rows are written to, a copy, a shadow or a stage
    LeavingRows(CopyDefinition definition, String table, boolean isStage) {
        this.definition = definition;
        this.table = table;
        this.isStage = isStage;
        List<String> key = definition.key();
        this.keyColumns =
                key.stream().mapToInt(definition.columnNames()::indexOf).toArray();
        this.remove = isStage
                ? "INSERT OR IGNORE INTO %s (%s) VALUES (%s)"
                        .formatted(
                                quoted(beside(table)),
                                quoted(key),
                                key.stream().map(_ -> "?").collect(Collectors.joining(",")))
                : "DELETE FROM %s WHERE %s"
                        .formatted(
                                quoted(table),
                                IntStream.range(0, key.size())
                                        .mapToObj(i -> quoted(key.get(i)) + "=?" + (i + 1))
                                        .collect(Collectors.joining(" AND ")));
    }

    /// Creates the empty table next to the stage, in place of what a crash left of one. Only a copy of a part of the
    /// rows needs it.
    public static void create(Transaction tx, CopyDefinition definition, String stage) {
        drop(tx, stage);
        List<CopyDefinition.CopyColumn> key = definition.columns().stream()
                .filter(column -> definition.key().contains(column.name()))
                .toList();
        CopyTable.create(tx, definition.withColumns(key, List.of()), beside(stage));
    }

    /// Drops the table next to the stage, if there is one.
    public static void drop(Transaction tx, String stage) {
        CopyTable.drop(tx, beside(stage));
    }

    /// Removes the row that has the same key as this row of the page.
    ///
    /// @return rows removed; 0 for a stage
    long remove(Transaction tx, Batch page, int row) {
        SqliteStatement statement = tx.statement(remove);
        for (int i = 0; i < keyColumns.length; i++) page.bindCell(row, keyColumns[i], statement, i + 1);
        statement.run();
        return isStage ? 0 : tx.connection().changes();
    }

    /// Removes the rows from `copy` whose keys are next to this stage.
    ///
    /// @return rows removed
    long removeAll(Transaction tx, String copy) {
        if (!isThere(tx)) return 0;
        String key = quoted(definition.key());
        tx.connection()
                .exec("DELETE FROM %s WHERE (%s) IN (SELECT %s FROM %s)"
                        .formatted(quoted(copy), key, key, quoted(beside(table))));
        return tx.connection().changes();
    }

    private boolean isThere(Transaction tx) {
        return isStage && CopyTable.existing(tx, beside(table)).isPresent();
    }

    private static String beside(String stage) {
        return PREFIX + stage;
    }
}
