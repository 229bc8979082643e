package dev.perigee.replication.copy;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.function.Function;

/// Reads back, in batches, rows that were first collected in a table of the replica's own (a stage table) and are now
/// applied to the copy.
///
/// @param definition of the copy
/// @param table the stage table; it has the columns of the copy
record GatheredRows(CopyDefinition definition, String table) {
    private static final int BATCH_ROWS = 1000;
    private static final long BATCH_BYTES = 4L << 20;

    /// Is told of each row that could not be stored.
    @FunctionalInterface
    public interface Refused {
        void refused(Batch batch, int row, PerigeeException reason);
    }

    /// Runs `work` on each batch, in the caller's transaction. The batch is reused when `work` returns.
    ///
    /// @param work may write to other tables
    /// @return the sum of the counts that `work` returned
    RowCounts each(Transaction tx, Function<Batch, RowCounts> work) {
        List<String> columns = definition.columnNames();
        SqliteStatement rows = tx.statement("SELECT %s FROM %s".formatted(quoted(columns), quoted(table)));
        RowCounts counts = RowCounts.NONE;
        try (Batch batch = new Batch(columns.size(), BATCH_ROWS, BATCH_BYTES)) {
            boolean isMore = true;
            while (isMore) {
                while (!batch.isFull() && (isMore = rows.step())) {
                    for (int column = 0; column < columns.size(); column++) batch.put(rows.valueAt(column));
                    batch.endRow();
                }
                counts = counts.plus(work.apply(batch));
                batch.clear();
            }
            return counts;
        } finally {
            rows.reset(); // while a statement still has rows to return, the table cannot be dropped
        }
    }
}
