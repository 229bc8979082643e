package dev.perigee.source;

import dev.perigee.batch.Batch;

/// Receives the pages of a pull, in order. The source fills batches that it gets from here, and keeps none of them.
public interface PageSink {
    /// Returns an empty batch to fill, with as many columns as the pull has. Waits while too many batches are in use.
    Batch next();

    /// Takes over `page`, whose last row is at `end`. Every row up to `end` is in this page, was refused since the page
    /// before, or came earlier. The page has at least one row, unless a row was refused.
    void page(Batch page, HighWaterMark end);

    /// Takes a row that cannot be put into a batch. The row belongs to the next page. If this method throws, the pull
    /// ends; by default it throws the row's reason.
    default void refused(RefusedRow row) {
        throw row.reason();
    }
}
