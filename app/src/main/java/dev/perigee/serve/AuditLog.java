package dev.perigee.serve;

import dev.perigee.fault.PerigeeException;
import dev.perigee.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps admins' calls in `tmp_audit_log`: when, what, from where and how it ended; never a body, a query string or a
/// token. Calls are written in batches, a second apart. Safe for many threads.
final class AuditLog implements AutoCloseable {
    static final int MAX_ROWS = 10_000;
    private static final int BUFFER = 4096;
    private static final int MAX_PATH_CHARS = 500;
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Logger LOG = LoggerFactory.getLogger(AuditLog.class);

    private static final List<String> TABLES = List.of("""
            CREATE TABLE tmp_audit_log (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                at TEXT NOT NULL,
                address TEXT NOT NULL,
                method TEXT NOT NULL,
                path TEXT NOT NULL,
                status INTEGER NOT NULL,
                ms INTEGER NOT NULL
            )""");

    private record Call(Instant at, String address, String method, String path, int status, long ms) {}

    private final Store store;
    private final BlockingQueue<Call> waiting = new ArrayBlockingQueue<>(BUFFER);
    private final AtomicLong dropped = new AtomicLong();
    private final Thread thread;
    private volatile boolean isClosed;

    AuditLog(Store store) {
        this.store = store;
        this.thread = Thread.ofVirtual()
                .name("perigee-audit")
                .unstarted(store.threads().repeated("audit", this::run));
        store.migrate("audit", TABLES);
        thread.start();
    }

    void called(Instant at, String address, String method, String path, int status, long ms) {
        String shown = path.length() > MAX_PATH_CHARS ? path.substring(0, MAX_PATH_CHARS) : path;
        if (!waiting.offer(new Call(at, address, method, shown, status, ms))) dropped.incrementAndGet();
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
        List<Call> calls = new ArrayList<>();
        waiting.drainTo(calls);
        long lost = dropped.getAndSet(0);
        if (lost > 0) LOG.warn("{} calls of admins were not kept: more came than could be written", lost);
        if (calls.isEmpty()) return;
        try {
            store.write(tx -> {
                for (Call call : calls) {
                    tx.statement("INSERT INTO tmp_audit_log (at, address, method, path, status, ms)"
                                    + " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                            .bindText(1, call.at().toString())
                            .bindText(2, call.address())
                            .bindText(3, call.method())
                            .bindText(4, call.path())
                            .bindInt(5, call.status())
                            .bindInt(6, call.ms())
                            .run();
                }
                tx.statement("DELETE FROM tmp_audit_log WHERE id <= (SELECT max(id) FROM tmp_audit_log) - ?1")
                        .bindInt(1, MAX_ROWS)
                        .run();
                return true;
            });
        } catch (PerigeeException e) {
            LOG.warn("{} calls of admins could not be kept", calls.size(), e);
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
