package dev.perigee.replication.copy;

import dev.perigee.batch.Batch;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import java.util.function.Consumer;

/// Takes the pages of a pull one after the other, on the pull's own thread: the source waits while one is worked on.
public final class PageByPage implements PageSink, AutoCloseable {
    /// Bytes of text and blobs after which a page ends, however few its rows are.
    public static final long PAGE_BYTES = 4L << 20;

    private final Batch batch;
    private final Consumer<Batch> work;

    /// @param work given each page; the batch is emptied when it returns
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
