package dev.perigee.replication.copy;

import dev.perigee.batch.Batch;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.List;

/// A row's key as the copy stores it, one value per key column, in key order. A key sent by the source and the same key
/// read from the copy are equal. For that, whole numbers are integers in both, even where the column's affinity stores
/// them as reals.
///
/// Only the copy's equality counts. Texts that the source takes for equal, such as those of a case-insensitive type,
/// are different keys here.
public record StoredKey(List<Value> values) {
    /// Doubles from 2^63 on do not fit into a SQLite integer; whole numbers below it are integers.
    private static final double INTEGERS = 0x1p63;

    public StoredKey {
        values = values.stream().map(StoredKey::canonical).toList();
    }

    /// @param row the row's index in `batch`
    /// @param columns the indexes of the key's columns in the batch, in key order
    public static StoredKey of(Batch batch, int row, int[] columns) {
        List<Value> values = new ArrayList<>(columns.length);
        for (int column : columns) values.add(batch.value(row, column));
        return new StoredKey(values);
    }

    /// The key in the first `columns` columns of the statement's current row.
    public static StoredKey of(SqliteStatement row, int columns) {
        List<Value> values = new ArrayList<>(columns);
        for (int column = 0; column < columns; column++) values.add(row.valueAt(column));
        return new StoredKey(values);
    }

    /// Binds the values to the parameters from `first` on.
    void bind(SqliteStatement statement, int first) {
        for (int i = 0; i < values.size(); i++) statement.bind(first + i, values.get(i));
    }

    private static Value canonical(Value value) {
        if (!(value instanceof Value.Real(double number))) return value;
        boolean isWhole = number == Math.rint(number) && Math.abs(number) < INTEGERS;
        return isWhole ? new Value.Int((long) number) : value;
    }
}
