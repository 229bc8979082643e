package dev.perigee.replication.copy;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Finds, compares and deletes single rows of a copy by their key.
///
/// SQLite itself decides whether a value differs, after the column's affinity has been applied. A sync uses the same
/// comparison to decide whether it writes a row.
public final class CopyLookup {
    public enum Finding {
        MISSING,
        DIFFERENT,
        SAME
    }

    private final String compare;
    private final String find;
    private final String delete;

    /// @param definition the definition of a copy that has a key
    public CopyLookup(CopyDefinition definition) {
        String table = quoted(definition.target());
        List<String> columns = definition.columnNames();
        List<String> key = definition.key();
        List<Integer> others = IntStream.range(0, columns.size())
                .filter(i -> !key.contains(columns.get(i)))
                .boxed()
                .toList();
        String differs = others.isEmpty()
                ? "0"
                : "(%s) IS NOT (%s)"
                        .formatted(
                                quoted(others.stream().map(columns::get).toList()),
                                others.stream().map(i -> "?" + (i + 1)).collect(Collectors.joining(",")));
        this.compare = "SELECT %s FROM %s WHERE %s"
                .formatted(
                        differs,
                        table,
                        key.stream()
                                .map(k -> quoted(k) + "=?" + (columns.indexOf(k) + 1))
                                .collect(Collectors.joining(" AND ")));
        String byKey = " FROM %s WHERE %s"
                .formatted(
                        table,
                        IntStream.range(0, key.size())
                                .mapToObj(i -> quoted(key.get(i)) + "=?" + (i + 1))
                                .collect(Collectors.joining(" AND ")));
        this.find = "SELECT 1" + byKey;
        this.delete = "DELETE" + byKey;
    }

    /// Compares the source's row with the row of the copy that has the same key.
    ///
    /// @param row the row's index in `batch`
    public Finding compare(Transaction tx, Batch batch, int row) {
        SqliteStatement statement = tx.statement(compare);
        batch.bind(row, statement);
        try {
            if (!statement.step()) return Finding.MISSING;
            return statement.intAt(0) != 0 ? Finding.DIFFERENT : Finding.SAME;
        } finally {
            statement.reset();
        }
    }

    public boolean isThere(Transaction tx, StoredKey key) {
        SqliteStatement statement = tx.statement(find);
        key.bind(statement, 1);
        try {
            return statement.step();
        } finally {
            statement.reset();
        }
    }

    /// Deletes the row with this key.
    ///
    /// @return whether there was one
    public boolean delete(Transaction tx, StoredKey key) {
        SqliteStatement statement = tx.statement(delete);
        key.bind(statement, 1);
        statement.run();
        return tx.connection().changes() > 0;
    }
}
