package dev.perigee.replication.sync;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.PageByPage;
import dev.perigee.replication.state.Run;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.source.RefusedRow;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Connects the thread that reads the source with the writer thread: while the writer applies one page, the next pages
/// are filled.
///
/// Pages are applied in order, each with all that belongs to it in one transaction. Pages that wait together are
/// committed together. When a page fails, the pages queued behind it are refused too: each names the page it follows,
/// and that page is missing. So the cursor never passes a gap, and the first failure is the one that is reported.
///
/// A fixed number of batches is reused, so memory is bounded and a slow disk slows the source down. Used by one reading
/// thread.
public final class PagePipeline implements PageSink, AutoCloseable {
    /// Number of batches: one being filled, one being applied, and some that wait to be committed together.
    static final int BATCHES = 4;

    /// Applies one page inside the transaction that commits it.
    @FunctionalInterface
    public interface Apply {
        /// @param refused rows that belong to the page but could not be put into the batch
        /// @param after the number of pages before this one
        /// @return the run, with this page counted
        Run page(Transaction tx, Batch page, List<RefusedRow> refused, HighWaterMark end, long after);
    }

    /// How large the batches of a pipeline are.
    ///
    /// @param rows rows of a page at most
    /// @param maxRowBytes the largest row that can be stored
    public record BatchSize(int columns, int rows, long maxRowBytes) {
        private Batch newBatch() {
            return new Batch(columns, rows, PageByPage.PAGE_BYTES, maxRowBytes);
        }
    }

    private final Store store;
    private final Apply apply;
    private final Consumer<Run> committed;
    private final SyncCancellation cancellation;
    private final List<Batch> all = new ArrayList<>();
    private final BlockingQueue<Batch> free = new ArrayBlockingQueue<>(BATCHES);
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private @Nullable Batch filling;
    private @Nullable Future<?> last;
    private long pages;
    private List<RefusedRow> refused = new ArrayList<>();

    /// @param pages the number of pages applied before the first one
    /// @param committed is given the run after each committed page, in order; must not wait
    public PagePipeline(
            Store store,
            BatchSize size,
            long pages,
            Apply apply,
            Consumer<Run> committed,
            SyncCancellation cancellation) {
        this.store = store;
        this.pages = pages;
        this.apply = apply;
        this.committed = committed;
        this.cancellation = cancellation;
        for (int i = 0; i < BATCHES; i++) {
            Batch batch = size.newBatch();
            all.add(batch);
            free.add(batch);
        }
    }

    @Override
    public Batch next() {
        Batch batch = filling;
        if (batch == null) {
            try {
                batch = free.take();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                cancellation.check();
                throw Fault.CLOSED.in("a sync", "its thread was interrupted", "The pages before are committed", e);
            }
            filling = batch;
        }
        check();
        return batch;
    }

    @Override
    public void refused(RefusedRow row) {
        refused.add(row);
    }

    @Override
    public void page(Batch page, HighWaterMark end) {
        if (page != filling) throw new IllegalStateException("a page came back that was not handed out");
        check();
        filling = null;
        List<RefusedRow> without = refused;
        if (!without.isEmpty()) refused = new ArrayList<>();
        // Counted when it is submitted, not when it is applied: a page behind a failed page must name that page and
        // find it missing.
        long after = pages++;
        last = store.submit(tx -> apply.page(tx, page, without, end, after)).handle((run, failed) -> {
            if (failed == null) committed.accept(run);
            else failure.compareAndSet(null, failed);
            page.clear();
            return free.add(page);
        });
    }

    /// Waits until all pages are committed.
    public void drain() {
        awaitLast();
        check();
    }

    /// Throws the first failure of the writer, or the reason of a cancellation. An exception of the reading side may be
    /// only a consequence of it.
    public void check() {
        Throwable failed = failure.get();
        if (failed != null) throw ThreadFailures.unwrapped(failed);
        cancellation.check();
    }

    /// Waits for the pages that the writer still has, then frees the batches.
    @Override
    public void close() {
        awaitLast();
        all.forEach(Batch::close);
    }

    /// Waits for the last page; the writer takes pages in order, so all others are done then. An interrupt does not end
    /// the wait, because the writer reads from memory that is freed next.
    private void awaitLast() {
        Future<?> waiting = last;
        if (waiting == null) return;
        boolean interrupted = false;
        while (true) {
            try {
                waiting.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                failure.compareAndSet(null, e);
                break;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }
}
