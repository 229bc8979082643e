package dev.perigee.query;

import dev.perigee.query.external.MemoryBudget;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// Copies a statement's rows from SQLite into values and passes them to a sink. While a large row is passed on, its
/// memory counts against the budget.
final class BudgetedRows implements RowReader.Target {
    /// The memory of a row with more bytes of text and blobs counts against the budget.
    static final int LARGE_ROW_BYTES = 64 << 10;

    /// Copies of each byte that exist while a row is read: SQLite's, ours, and the one in the answer.
    static final int COPIES = 3;

    private final MemoryBudget memory;
    private final RowSink sink;

    BudgetedRows(MemoryBudget memory, RowSink sink) {
        this.memory = memory;
        this.sink = sink;
    }

    @Override
    public void columns(List<String> names) {
        sink.columns(names);
    }

    @Override
    public boolean row(SqliteStatement statement, int columnCount) {
        Value[] cells = new Value[columnCount];
        try (MemoryBudget.Reservation reservation = memory.reserve("A row of the answer")) {
            long rowBytes = 0;
            long reservedBytes = 0;
            for (int column = 0; column < columnCount; column++) {
                Type type = statement.type(column);
                if (type == Type.TEXT || type == Type.BLOB) {
                    rowBytes += statement.lengthAt(column);
                    if (rowBytes > LARGE_ROW_BYTES) {
                        reservation.grow(COPIES * (rowBytes - reservedBytes));
                        reservedBytes = rowBytes;
                    }
                }
                cells[column] = statement.valueAt(column);
            }
            return sink.row(Collections.unmodifiableList(Arrays.asList(cells)));
        }
    }
}
