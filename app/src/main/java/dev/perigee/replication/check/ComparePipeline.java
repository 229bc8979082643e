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

/// Between the thread that reads the source and the one that compares. A fixed number of batches goes round, so memory
/// is bounded and each waits for the other.
final class ComparePipeline implements PageSink, AutoCloseable {
    /// Batches that go round.
    static final int BATCHES = 4;

    /// A batch, or the end of all when there is none; with a failure where it broke off.
    private record Item(@Nullable Batch batch, @Nullable Throwable failure) {}

    private final List<Batch> all = new ArrayList<>();
    private final BlockingQueue<Batch> free = new ArrayBlockingQueue<>(BATCHES);
    private final BlockingQueue<Item> ready = new ArrayBlockingQueue<>(BATCHES + 1);
    private final Consumer<Batch> reading;
    private final SyncCancellation cancellation;
    private @Nullable Batch filling;

    /// @param reading given each page on the reading thread, before it is compared; may wait
    ComparePipeline(int columns, int pageRows, Consumer<Batch> reading, SyncCancellation cancellation) {
        this.reading = reading;
        this.cancellation = cancellation;
        for (int i = 0; i < BATCHES; i++) {
            Batch batch = new Batch(columns, pageRows, PageByPage.PAGE_BYTES);
            all.add(batch);
            free.add(batch);
        }
    }

    // The reading thread.

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

    /// No page follows.
    ///
    /// @param failure why it broke off; null at the source's end
    void end(@Nullable Throwable failure) {
        ready.add(new Item(null, failure));
    }

    // The comparing thread.

    /// Waits for the next page; null at the source's end. Throws what the reading thread failed with.
    @Nullable
    Batch take() {
        return batch(taken(ready));
    }

    /// The next page where one is ready; null where none is, or at the end.
    @Nullable
    Batch poll() {
        Item item = ready.peek();
        if (item == null || item.batch() == null) return null;
        return batch(taken(ready));
    }

    void giveBack(Batch batch) {
        batch.clear();
        free.add(batch);
    }

    /// Only once the reading thread has ended.
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
