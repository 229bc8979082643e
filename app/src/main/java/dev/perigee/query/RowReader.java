package dev.perigee.query;

import dev.perigee.plugin.AnswerSink.Meta;
import dev.perigee.plugin.Cancellation;
import dev.perigee.source.RowSink;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// Runs a bound statement and hands its rows on, one at a time.
final class RowReader {
    /// A row of more bytes takes its memory from the budget while it is handed on.
    private static final int LARGE_ROW_BYTES = 64 << 10;

    /// A byte of text is three while it is read: in SQLite's copy, ours, and the answer.
    private static final int COPIES = 3;

    private final MemoryBudget memory;
    private final Cancellation cancellation;

    RowReader(MemoryBudget memory, Cancellation cancellation) {
        this.memory = memory;
        this.cancellation = cancellation;
    }

    Meta run(CallerConnection lent, SqliteStatement statement, RowSink sink) {
        long changesBefore = lent.changes();
        cancellation.check();
        // The first step comes before the names: it may find that the schema has changed, and with it the columns.
        boolean hasRow = statement.step();
        int columnCount = statement.columnCount();
        sink.columns(names(statement, columnCount));
        long rowCount = 0;
        boolean wantsMore = true;
        while (hasRow && wantsMore) {
            wantsMore = handOn(statement, columnCount, sink);
            rowCount++;
            cancellation.check();
            hasRow = statement.step();
        }
        long written = statement.isReadonly() ? 0 : lent.changes() - changesBefore;
        return new Meta(rowCount, written);
    }

    private boolean handOn(SqliteStatement statement, int columnCount, RowSink sink) {
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

    private static List<String> names(SqliteStatement statement, int columnCount) {
        List<String> names = new ArrayList<>(columnCount);
        for (int column = 0; column < columnCount; column++) names.add(statement.columnName(column));
        return List.copyOf(names);
    }
}
