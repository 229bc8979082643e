package dev.perigee.source.postgres;

import dev.perigee.batch.Batch;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/// Cuts the rows of a pull, which may come from several statements, into pages.
final class Pages {
    private final PullStatement statement;
    private final PageSink sink;
    private @Nullable Batch batch;
    private @Nullable HighWaterMark end;
    private long sent;

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
        statement.decode(rows, filling);
        sent++;
        if (filling.isFull()) {
            batch = null;
            sink.page(filling, statement.mark(rows));
        }
    }

    /// Remembers where the last row stands, which only a statement whose rows are still here can tell.
    void endOfStatement(CopyRows rows) {
        if (batch != null) end = statement.mark(rows);
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
