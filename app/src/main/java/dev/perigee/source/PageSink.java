package dev.perigee.source;

import dev.perigee.batch.Batch;

/// Takes pages in order. The source fills batches it gets from here and never keeps one.
public interface PageSink {
    /// An empty batch to fill, with as many columns as the pull has. Waits while too many are under way.
    Batch next();

    /// Takes over `page`, which has at least one row, the last of which is at `end`: all rows up to it are in the page
    /// or came before.
    void page(Batch page, HighWaterMark end);
}
