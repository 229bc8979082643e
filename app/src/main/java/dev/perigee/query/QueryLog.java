package dev.perigee.query;

import dev.perigee.fault.PerigeeException;
import dev.perigee.query.sql.StatementShape;
import dev.perigee.store.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps callers' statements and the time they took in `tmp_query_log`. Safe for many threads.
///
/// A statement waits in a bounded buffer and is written with others, so that a read costs no write of its own; when the
/// buffer is full, statements are dropped and counted. Values are never kept: literals are shown as `?`.
final class QueryLog implements AutoCloseable {
    /// Rows that are kept, and for how long.
    static final int MAX_ROWS = 10_000;

    static final Duration MAX_AGE = Duration.ofDays(1);

    private static final int BUFFER = 4096;
    private static final int MAX_CHARS = 10_000;
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Logger LOG = LoggerFactory.getLogger(QueryLog.class);

    static final List<String> TABLES = List.of("""
            CREATE TABLE IF NOT EXISTS tmp_query_log (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                sql_statement TEXT NOT NULL,
                duration INTEGER NOT NULL,
                created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
            )""");

    private record Entry(String sql, long millis) {}

    private final Store store;
    private final BlockingQueue<Entry> waiting = new ArrayBlockingQueue<>(BUFFER);
    private final AtomicLong dropped = new AtomicLong();
    private final Thread thread;
    private volatile boolean isClosed;

    QueryLog(Store store) {
        this.store = store;
        this.thread = Thread.ofVirtual()
                .name("perigee-query-log")
                .unstarted(store.threads().repeated("query-log", this::run));
        thread.start();
    }

    void ran(String sql, long nanos) {
        String text = StatementShape.of(sql.length() > MAX_CHARS ? sql.substring(0, MAX_CHARS) : sql);
        if (!waiting.offer(new Entry(text, TimeUnit.NANOSECONDS.toMillis(nanos)))) dropped.incrementAndGet();
    }

    private void run() {
        while (!isClosed) {
            try {
                Thread.sleep(PAUSE);
            } catch (InterruptedException _) {
                // Closing: what waits is written still.
            }
            write();
        }
    }

    private void write() {
        List<Entry> entries = new ArrayList<>();
        waiting.drainTo(entries);
        long lost = dropped.getAndSet(0);
        if (lost > 0) LOG.warn("{} statements were not logged: more came than could be written", lost);
        if (entries.isEmpty()) return;
        try {
            store.write(transaction -> {
                for (Entry entry : entries) {
                    transaction
                            .statement("INSERT INTO tmp_query_log (sql_statement, duration) VALUES (?1, ?2)")
                            .bindText(1, entry.sql())
                            .bindInt(2, entry.millis())
                            .run();
                }
                transaction
                        .statement("DELETE FROM tmp_query_log WHERE id <= (SELECT max(id) FROM tmp_query_log) - ?1"
                                + " OR created_at < datetime('now', ?2)")
                        .bindInt(1, MAX_ROWS)
                        .bindText(2, "-" + MAX_AGE.toSeconds() + " seconds")
                        .run();
                return null;
            });
        } catch (PerigeeException e) {
            LOG.warn("{} statements could not be logged", entries.size(), e);
        }
    }

    /// Writes what waits; the store is to be open still.
    @Override
    public void close() {
        isClosed = true;
        thread.interrupt();
        try {
            thread.join(PAUSE.multipliedBy(5));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
