package dev.perigee.replication.copy;

import dev.perigee.batch.Batch;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.List;

/// A row's key as a copy stores it, one value per key column, in key order. A key that the source sent and the same key
/// read from the copy are equal: whole numbers are integers in both, whatever the column's affinity makes of them.
///
/// The source's own idea of equality, as that of text which ignores case, does not count here: the copy's does.
public record StoredKey(List<Value> values) {
    /// From here on not every whole number is a double; the copy has its integers below.
    private static final double INTEGERS = 0x1p63;

    public StoredKey {
        values = values.stream().map(StoredKey::canonical).toList();
    }

    /// @param columns the key's columns in the batch, in key order
    public static StoredKey of(Batch batch, int row, int[] columns) {
        List<Value> values = new ArrayList<>(columns.length);
        for (int column : columns) values.add(batch.value(row, column));
        return new StoredKey(values);
    }

    /// The first `columns` columns of the current row.
    public static StoredKey of(SqliteStatement row, int columns) {
        List<Value> values = new ArrayList<>(columns);
        for (int column = 0; column < columns; column++) values.add(row.valueAt(column));
        return new StoredKey(values);
    }

    /// Binds it to the parameters from `first` on.
    void bind(SqliteStatement statement, int first) {
        for (int i = 0; i < values.size(); i++) statement.bind(first + i, values.get(i));
    }

    private static Value canonical(Value value) {
        if (!(value instanceof Value.Real(double number))) return value;
        boolean isWhole = number == Math.rint(number) && Math.abs(number) < INTEGERS;
        return isWhole ? new Value.Int((long) number) : value;
    }
}
