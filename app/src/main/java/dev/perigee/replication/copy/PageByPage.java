package dev.perigee.replication.copy;

import dev.perigee.batch.Batch;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import java.util.function.Consumer;

/// Processes the pages of a pull one after the other, on the thread that pulls. The source waits while a page is
/// processed.
public final class PageByPage implements PageSink, AutoCloseable {
    /// A page ends once it holds this many bytes of text and blobs, however few rows it has.
    public static final long PAGE_BYTES = 4L << 20;

    private final Batch batch;
    private final Consumer<Batch> work;

    /// @param work is called with each page; the batch is cleared when it returns
    public PageByPage(int columns, int pageRows, Consumer<Batch> work) {
        this.batch = new Batch(columns, pageRows, PAGE_BYTES);
        this.work = work;
    }

    @Override
    public Batch next() {
        return batch;
    }

    @Override
    public void page(Batch page, HighWaterMark end) {
        work.accept(page);
        page.clear();
    }

    @Override
    public void close() {
        batch.close();
    }
}
