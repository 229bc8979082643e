package dev.perigee.query.external;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.RowSink;
import java.util.ArrayList;
import java.util.List;

/// An answer kept in memory until the transaction it comes from has committed.
public final class CollectedAnswer implements AnswerSink {
    /// The largest answer of one request that writes.
    static final long MAX_BYTES = 16L << 20;

    /// Roughly the memory that a cell takes in addition to its text or bytes.
    private static final int CELL_BYTES = 40;

    private record Answer(List<String> columns, List<List<Value>> rows, Meta meta) {}

    private final MemoryBudget.Reservation memory;
    private final List<Answer> answers = new ArrayList<>();
    private List<String> columns = List.of();
    private List<List<Value>> rows = new ArrayList<>();
    private long bytes;

    public CollectedAnswer(MemoryBudget.Reservation memory) {
        this.memory = memory;
    }

    @Override
    public void columns(List<String> names) {
        columns = names;
    }

    @Override
    public boolean row(List<Value> cells) {
        long rowBytes = size(cells);
        bytes += rowBytes;
        if (bytes > MAX_BYTES) {
            throw Fault.TOO_LARGE.saying(
                    "The answer of a request that writes can have at most %d bytes: read rows in a separate request."
                            .formatted(MAX_BYTES));
        }
        memory.grow(rowBytes);
        rows.add(cells);
        return true;
    }

    @Override
    public void end(Meta meta) {
        answers.add(new Answer(columns, rows, meta));
        columns = List.of();
        rows = new ArrayList<>();
    }

    /// Passes the columns and rows of the statement at `index` to `sink`.
    ///
    /// @return the statement's counts, which are not passed on
    public Meta replay(int index, RowSink sink) {
        Answer answer = answers.get(index);
        sink.columns(answer.columns());
        for (List<Value> row : answer.rows()) {
            if (!sink.row(row)) break;
        }
        return answer.meta();
    }

    private static long size(List<Value> cells) {
        long bytes = CELL_BYTES;
        for (Value cell : cells) {
            bytes += CELL_BYTES;
            if (cell instanceof Value.Text(String text)) bytes += text.length();
            if (cell instanceof Value.Blob blob) bytes += blob.bytes().remaining();
        }
        return bytes;
    }
}
