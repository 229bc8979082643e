package dev.perigee.replication.check;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.PageByPage;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.replication.sync.ThreadFailures;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Hands batches from the thread that reads the source to the thread that compares. A fixed number of batches
/// circulates between them, so memory is bounded and the faster thread waits for the slower.
final class ComparePipeline implements PageSink, AutoCloseable {
    /// Batches in circulation.
    static final int BATCHES = 4;

    /// A batch, or the end of the stream if `batch` is null.
    ///
    /// @param failure at the end: why the reading thread failed; null if it reached the source's end
    private record Item(@Nullable Batch batch, @Nullable Throwable failure) {}

    private final List<Batch> all = new ArrayList<>();
    private final BlockingQueue<Batch> free = new ArrayBlockingQueue<>(BATCHES);
    private final BlockingQueue<Item> ready = new ArrayBlockingQueue<>(BATCHES + 1);
    private final Consumer<Batch> reading;
    private final SyncCancellation cancellation;
    private @Nullable Batch filling;

    /// @param reading is given each page on the reading thread, before it is compared; may block
    ComparePipeline(int columns, int pageRows, Consumer<Batch> reading, SyncCancellation cancellation) {
        this.reading = reading;
        this.cancellation = cancellation;
        for (int i = 0; i < BATCHES; i++) {
            Batch batch = new Batch(columns, pageRows, PageByPage.PAGE_BYTES);
            all.add(batch);
            free.add(batch);
        }
    }

    // Called on the reading thread.

    @Override
    public Batch next() {
        cancellation.check();
        Batch batch = filling;
        if (batch == null) {
            batch = taken(free);
            cancellation.check();
            filling = batch;
        }
        return batch;
    }

    @Override
    public void page(Batch page, HighWaterMark end) {
        filling = null;
        reading.accept(page);
        cancellation.check();
        ready.add(new Item(page, null));
    }

    /// Ends the stream: no page follows.
    ///
    /// @param failure why reading failed; null at the source's end
    void end(@Nullable Throwable failure) {
        ready.add(new Item(null, failure));
    }

    // Called on the comparing thread.

    /// Waits for the next page. Throws the failure of the reading thread.
    ///
    /// @return null at the source's end
    @Nullable
    Batch take() {
        return batch(taken(ready));
    }

    /// The next page if one is ready. Never waits.
    ///
    /// @return null if no page is ready, and at the end
    @Nullable
    Batch poll() {
        Item item = ready.peek();
        if (item == null || item.batch() == null) return null;
        return batch(taken(ready));
    }

    /// Returns a page that has been compared, so that it can be filled again.
    void giveBack(Batch batch) {
        batch.clear();
        free.add(batch);
    }

    /// Frees the batches. Called only after the reading thread has ended.
    @Override
    public void close() {
        all.forEach(Batch::close);
    }

    private static @Nullable Batch batch(Item item) {
        if (item.failure() != null) throw ThreadFailures.unwrapped(item.failure());
        return item.batch();
    }

    private <T> T taken(BlockingQueue<T> queue) {
        try {
            return queue.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            cancellation.check();
            throw Fault.CLOSED.in("a check", "its thread was interrupted", "Nothing was changed", e);
        }
    }
}
