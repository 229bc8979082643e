package dev.perigee.source.postgres;

import dev.perigee.batch.Batch;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.source.postgres.decode.CopyRows;
import dev.perigee.source.postgres.statement.PullStatement;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/// Cuts the rows of a pull, which may come from several statements, into pages.
final class Pages {
    private final PullStatement statement;
    private final PageSink sink;
    private @Nullable Batch batch;
    private @Nullable HighWaterMark end;
    private long sent;
    private int refused; // since the previous page
    private boolean isLastRefused;

    /// A page ends after this many refused rows, so that the memory for their descriptions is bounded.
    static final int MAX_REFUSED = 100;

    Pages(PullStatement statement, PageSink sink) {
        this.statement = statement;
        this.sink = sink;
    }

    void row(CopyRows rows) throws SQLException {
        Batch filling = batch;
        if (filling == null) {
            filling = sink.next();
            batch = filling;
        }
        isLastRefused = false;
        try {
            statement.decode(rows, filling);
        } catch (RuntimeException e) {
            isLastRefused = true;
            filling.abandonRow();
            // The copy cannot have a row whose key it could not store.
            if (!statement.isLeaving(rows)) {
                sink.refused(statement.refused(rows, e));
                refused++;
            }
        }
        sent++;
        if (filling.isFull() || refused >= MAX_REFUSED) hand(filling, rows);
    }

    /// Gives `page` to the sink, with the current row as its end. A page cannot end at a row whose key cannot be read;
    /// then it ends at a later row.
    private void hand(Batch page, CopyRows rows) {
        HighWaterMark mark;
        try {
            mark = statement.mark(rows);
        } catch (RuntimeException e) {
            if (isLastRefused) return;
            throw e;
        }
        batch = null;
        refused = 0;
        end = mark;
        sink.page(page, mark);
    }

    /// Remembers the mark of the last row. Call it before the next statement begins, because only the statement that
    /// read the row can tell its mark.
    void endOfStatement(CopyRows rows) {
        if (batch == null) return;
        try {
            end = statement.mark(rows);
        } catch (RuntimeException e) {
            // The last row's key cannot be read, so the page ends at the mark before it. Rows after that mark are read
            // again.
            if (!isLastRefused) throw e;
            if (end == null) end = statement.before(e);
        }
    }

    /// Gives the last page to the sink.
    ///
    /// @return the number of rows read in all, including refused ones
    long end() {
        Batch last = batch;
        HighWaterMark at = end;
        batch = null;
        if (last != null && at != null) sink.page(last, at);
        return sent;
    }
}
