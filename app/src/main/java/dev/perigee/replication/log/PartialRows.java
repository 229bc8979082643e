package dev.perigee.replication.log;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.source.LogSink.Part;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Writes rows of which the log tells only some values. The other values stay as the copy has them.
///
/// A row of the batch has one cell for each column of the copy, then one for each key column: the key before the
/// change.
final class PartialRows {
    private final CopyDefinition definition;
    private final List<String> columns;
    private final List<Integer> key;

    PartialRows(CopyDefinition definition) {
        this.definition = definition;
        this.columns = definition.columnNames();
        this.key = definition.key().stream().map(columns::indexOf).toList();
    }

    int cells() {
        return columns.size() + key.size();
    }

    /// @return rows written; 0 where the copy does not have the row
    long apply(Transaction tx, Batch batch, int row, Part part) {
        return part.isNew() ? insert(tx, batch, row, part) : update(tx, batch, row, part);
    }

    private long update(Transaction tx, Batch batch, int row, Part part) {
        List<Integer> set = told(part);
        if (!part.isMoved()) set.removeAll(key);
        if (set.isEmpty()) return 1; // only values that are not told, and these did not change
        // A key that another row of the copy has was that row's only until then.
        String sql = "UPDATE OR REPLACE %s SET %s WHERE %s"
                .formatted(
                        quoted(definition.target()),
                        set.stream().map(i -> quoted(columns.get(i)) + "=?").collect(Collectors.joining(",")),
                        definition.key().stream().map(k -> quoted(k) + "=?").collect(Collectors.joining(" AND ")));
        SqliteStatement statement = tx.statement(sql);
        int parameter = 1;
        for (int column : set) batch.bindCell(row, column, statement, parameter++);
        for (int i = 0; i < key.size(); i++) batch.bindCell(row, columns.size() + i, statement, parameter++);
        statement.run();
        return tx.connection().changes();
    }

    private long insert(Transaction tx, Batch batch, int row, Part part) {
        List<Integer> told = told(part);
        List<Integer> others = told.stream().filter(i -> !key.contains(i)).toList();
        String sql = "INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO %s"
                .formatted(
                        quoted(definition.target()),
                        quoted(told.stream().map(columns::get).toList()),
                        told.stream().map(_ -> "?").collect(Collectors.joining(",")),
                        quoted(definition.key()),
                        others.isEmpty()
                                ? "NOTHING"
                                : "UPDATE SET "
                                        + others.stream()
                                                .map(i ->
                                                        quoted(columns.get(i)) + "=excluded." + quoted(columns.get(i)))
                                                .collect(Collectors.joining(",")));
        SqliteStatement statement = tx.statement(sql);
        int parameter = 1;
        for (int column : told) batch.bindCell(row, column, statement, parameter++);
        statement.run();
        return 1;
    }

    private static List<Integer> told(Part part) {
        return part.told().stream().boxed().collect(Collectors.toCollection(ArrayList::new));
    }
}
