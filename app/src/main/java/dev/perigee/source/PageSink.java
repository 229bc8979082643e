package dev.perigee.source;

import dev.perigee.batch.Batch;

/// Takes pages in order. The source fills batches it gets from here and never keeps one.
public interface PageSink {
    /// An empty batch to fill, with as many columns as the pull has. Waits while too many are under way.
    Batch next();

    /// Takes over `page`, the last row of which is at `end`: all rows up to it are in the page, were refused since the
    /// page before, or came before. It has at least one row, or one was refused.
    void page(Batch page, HighWaterMark end);

    /// A row that cannot be put into a batch. It belongs to the page that comes next. Where this throws, the pull ends.
    default void refused(RefusedRow row) {
        throw row.reason();
    }
}
