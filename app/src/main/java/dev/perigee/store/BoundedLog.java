package dev.perigee.store;

import dev.perigee.fault.PerigeeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A table that entries are appended to in the background, one transaction per second, and whose oldest rows are
/// deleted. Safe for many threads.
///
/// Entries wait in a bounded buffer, so that logging never makes a caller wait for a write. When the buffer is full,
/// entries are dropped and counted; the server's log says how many.
public final class BoundedLog<E> implements AutoCloseable {
    /// Rows kept in the table.
    public static final int MAX_ROWS = 10_000;

    private static final int MAX_WAITING = 4096;
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Logger LOG = LoggerFactory.getLogger(BoundedLog.class);

    /// Writes one entry.
    @FunctionalInterface
    public interface Insert<E> {
        void insert(Transaction transaction, E entry);
    }

    private final Store store;
    private final String table;
    private final String expired;
    private final Insert<E> insert;
    private final BlockingQueue<E> waiting = new ArrayBlockingQueue<>(MAX_WAITING);
    private final AtomicLong dropped = new AtomicLong();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;

    /// @param name of the log, for its thread, `perigee-name`
    /// @param table one of Perigee's own, with an ascending integer key `id`
    /// @param expired SQL condition for rows to delete before there are too many; `FALSE` if there are none
    public BoundedLog(Store store, String name, String table, String expired, Insert<E> insert) {
        this.store = store;
        this.table = table;
        this.expired = expired;
        this.insert = insert;
        this.thread = Thread.ofVirtual()
                .name("perigee-" + name)
                .unstarted(store.threads().repeated(name, this::run));
        thread.start();
    }

    /// Queues an entry, or drops it. Never waits.
    public void add(E entry) {
        if (!waiting.offer(entry)) dropped.incrementAndGet();
    }

    private void run() {
        try {
            boolean isClosing;
            do {
                isClosing = closing.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
                write();
            } while (!isClosing);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void write() {
        List<E> entries = new ArrayList<>();
        waiting.drainTo(entries);
        long lost = dropped.getAndSet(0);
        if (lost > 0) LOG.warn("{} entries of {} were dropped: more came than could be written", lost, table);
        if (entries.isEmpty()) return;
        try {
            store.write(transaction -> {
                for (E entry : entries) insert.insert(transaction, entry);
                transaction
                        .statement("DELETE FROM %1$s WHERE id <= (SELECT max(id) FROM %1$s) - ?1 OR %2$s"
                                .formatted(table, expired))
                        .bindInt(1, MAX_ROWS)
                        .run();
                return true;
            });
        } catch (PerigeeException e) {
            LOG.warn("{} entries of {} could not be written", entries.size(), table, e);
        }
    }

    /// Writes the entries that still wait. Must be called before the store is closed.
    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join(PAUSE.multipliedBy(5));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
