package dev.perigee.replication.log;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.PageByPage;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.copy.RowFaults;
import dev.perigee.replication.copy.SourceText;
import dev.perigee.replication.state.LogRecords;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.sync.SetAsideRows;
import dev.perigee.source.LogSink;
import dev.perigee.source.LogTable;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.VisibleTransactions;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Applies the changes of one table to its copy. Gathers rows in a batch, and writes them when the batch is full, when
/// a change of another kind follows, or when the transaction of the replica ends.
///
/// Used on the thread that reads the log, and on the writer thread while that one waits.
final class TableChanges implements LogSink.Target, AutoCloseable {
    /// Rows in a batch.
    private static final int ROWS = 1000;

    /// How many bytes of the log are applied beyond a table's snapshot until the snapshot is forgotten. More than the
    /// server keeps in memory, because a commit may be visible before it is written.
    private static final long FAR = 64L << 20;

    /// What a copy is made from and written with.
    record Copy(CopyDefinition definition, LogTable wanted, SetAsideRows rows, SourceText text, long maxRowBytes) {}

    private final LogRecords.Table table;
    private final Copy copy;
    private final PartialRows partial;
    private final Batch rows;
    private final Batch parts;
    private Optional<VisibleTransactions> shown;
    private LogSink.@Nullable Part part;
    private List<RefusedRow> refused = new ArrayList<>();
    private @Nullable Transaction tx;
    private RowCounts counts = RowCounts.NONE;
    private boolean isForgetting;

    TableChanges(LogRecords.Table table, Copy copy) {
        this.table = table;
        this.copy = copy;
        this.shown = table.shown();
        this.partial = new PartialRows(copy.definition());
        int columns = copy.definition().columns().size();
        this.rows = new Batch(columns, ROWS, PageByPage.PAGE_BYTES, copy.maxRowBytes());
        this.parts = new Batch(partial.cells(), 1, PageByPage.PAGE_BYTES, copy.maxRowBytes());
    }

    String name() {
        return table.name();
    }

    /// The number of rows that are set aside.
    int setAside() {
        return copy.rows().count();
    }

    /// Whether the copy has the changes of a transaction from its snapshot.
    ///
    /// @param commit where the transaction's commit is in the log
    /// @param transaction the lower 32 bits of its number
    boolean hasFromSnapshot(long commit, int transaction) {
        if (shown.isEmpty()) return false;
        if (Long.compareUnsigned(commit, table.shownAt() + FAR) > 0) {
            shown = Optional.empty();
            isForgetting = true;
            return false;
        }
        return shown.get().hasEnded(shown.get().whole(transaction));
    }

    /// Begins a transaction of the replica. Called on the writer thread.
    void attach(Transaction transaction) {
        tx = transaction;
    }

    /// Writes what is left and counts it. The transaction of the replica ends then.
    void finish(Instant now) {
        flush(now);
        if (isForgetting) LogRecords.passed(open(), table.name());
        isForgetting = false;
        if (!counts.equals(RowCounts.NONE)) StateRecords.applied(open(), table.name(), counts);
        counts = RowCounts.NONE;
        tx = null;
    }

    @Override
    public LogTable wanted() {
        return copy.wanted();
    }

    @Override
    public Batch whole() {
        if (part != null || !refused.isEmpty() || rows.isFull()) flush(Instant.now());
        return rows;
    }

    @Override
    public void row() {
        rows.endRow();
    }

    @Override
    public void leaving() {
        rows.endLeavingRow();
    }

    @Override
    public Batch part(LogSink.Part told) {
        if (part != null || !refused.isEmpty() || rows.rowCount() > 0) flush(Instant.now());
        return parts;
    }

    @Override
    public void partial(LogSink.Part told) {
        parts.endRow();
        part = told;
    }

    @Override
    public void refused(RefusedRow row) {
        refused.add(row);
    }

    @Override
    public void redefined(String why) {
        throw new OutdatedCopy(table.name(), why);
    }

    /// Removes all rows of the copy.
    void truncate(Instant now) {
        flush(now);
        open().connection().exec("DELETE FROM " + quoted(copy.definition().target()));
        counts = counts.plus(new RowCounts(0, 0, open().connection().changes(), 0));
        copy.rows().emptied(open());
    }

    private void flush(Instant now) {
        if (part != null) flushPart(part);
        if (rows.rowCount() == 0 && refused.isEmpty()) return;
        counts = counts.plus(copy.rows().apply(open(), rows, refused, false, now));
        rows.clear();
        refused = new ArrayList<>();
    }

    private void flushPart(LogSink.Part told) {
        long written;
        try {
            written = partial.apply(open(), parts, 0, told);
        } catch (SqliteException e) {
            if (!RowFaults.isOfRow(e, open().connection(), "SELECT 1")) throw e;
            throw new OutdatedCopy(table.name(), "a changed row cannot be stored without its other values");
        }
        if (written == 0 && !isSetAside()) {
            throw new OutdatedCopy(table.name(), "the copy lacks a row of which the log tells only some values");
        }
        counts = counts.plus(new RowCounts(0, written, 0, 0));
        parts.clear();
        part = null;
    }

    private boolean isSetAside() {
        int columns = copy.definition().columns().size();
        List<Value> key = IntStream.range(columns, partial.cells())
                .mapToObj(cell -> parts.value(0, cell))
                .toList();
        return copy.text().key(key).filter(copy.rows()::isSetAside).isPresent();
    }

    private Transaction open() {
        if (tx == null) throw new IllegalStateException("no transaction of the replica is open");
        return tx;
    }

    @Override
    public void close() {
        rows.close();
        parts.close();
    }
}
