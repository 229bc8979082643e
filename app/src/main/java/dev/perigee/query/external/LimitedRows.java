package dev.perigee.query.external;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import java.util.List;

/// Passes rows on and refuses the first one above the limit.
public final class LimitedRows implements RowSink {
    private final RowSink next;
    private final long maxRows;
    private long rowCount;

    public LimitedRows(RowSink next, long maxRows) {
        this.next = next;
        this.maxRows = maxRows;
    }

    @Override
    public void columns(List<String> names) {
        next.columns(names);
    }

    @Override
    public boolean row(List<Value> cells) {
        if (++rowCount > maxRows) throw Fault.TOO_LARGE.saying("The answer has more than %d rows.".formatted(maxRows));
        return next.row(cells);
    }
}
