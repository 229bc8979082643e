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
    private int refused; // since the page before
    private boolean isLastRefused;

    /// Rows refused after which a page ends, so that what is known of them is bounded too.
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
            sink.refused(statement.refused(rows, e));
            refused++;
        }
        sent++;
        if (filling.isFull() || refused >= MAX_REFUSED) hand(filling, rows);
    }

    /// A page cannot end at a row of which not even the key can be read; the next one will do.
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

    /// Remembers where the last row stands, which only a statement whose rows are still here can tell.
    void endOfStatement(CopyRows rows) {
        if (batch == null) return;
        try {
            end = statement.mark(rows);
        } catch (RuntimeException e) {
            // The last row's key cannot be read: the place before is the end, and what is behind it comes once more.
            if (!isLastRefused) throw e;
            if (end == null) end = statement.before(e);
        }
    }

    /// Hands on the last page.
    ///
    /// @return rows sent in all
    long end() {
        Batch last = batch;
        HighWaterMark at = end;
        batch = null;
        if (last != null && at != null) sink.page(last, at);
        return sent;
    }
}
