package dev.perigee.serve;

import dev.perigee.store.BoundedLog;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.util.List;

/// Keeps admins' calls in `tmp_audit_log`: when, what, from where and how it ended; never a body, a query string or a
/// token. Safe for many threads.
final class AuditLog implements AutoCloseable {
    private static final int MAX_PATH_CHARS = 500;

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

    private final BoundedLog<Call> log;

    AuditLog(Store store) {
        store.migrate("audit", TABLES);
        log = new BoundedLog<>(store, "audit", "tmp_audit_log", "FALSE", AuditLog::insert);
    }

    void called(Instant at, String address, String method, String path, int status, long ms) {
        String shown = path.length() > MAX_PATH_CHARS ? path.substring(0, MAX_PATH_CHARS) : path;
        log.add(new Call(at, address, method, shown, status, ms));
    }

    private static void insert(Transaction transaction, Call call) {
        transaction
                .statement("INSERT INTO tmp_audit_log (at, address, method, path, status, ms)"
                        + " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                .bindText(1, call.at().toString())
                .bindText(2, call.address())
                .bindText(3, call.method())
                .bindText(4, call.path())
                .bindInt(5, call.status())
                .bindInt(6, call.ms())
                .run();
    }

    /// Writes the calls that still wait. Must be called before the store is closed.
    @Override
    public void close() {
        log.close();
    }
}
