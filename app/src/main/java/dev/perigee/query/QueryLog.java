package dev.perigee.query;

import dev.perigee.query.sql.StatementShape;
import dev.perigee.store.BoundedLog;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Keeps callers' statements and their durations in `tmp_query_log`. Values are never kept: literals are shown as `?`.
/// Safe for many threads.
final class QueryLog implements AutoCloseable {
    private static final String EXPIRED = "created_at < datetime('now', '-1 day')";
    private static final int MAX_CHARS = 10_000;

    static final List<String> TABLES = List.of("""
            CREATE TABLE IF NOT EXISTS tmp_query_log (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                sql_statement TEXT NOT NULL,
                duration INTEGER NOT NULL,
                created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
            )""");

    private record Entry(String sql, long millis) {}

    private final BoundedLog<Entry> log;

    QueryLog(Store store) {
        log = new BoundedLog<>(store, "query-log", "tmp_query_log", EXPIRED, QueryLog::insert);
    }

    void ran(String sql, long nanos) {
        String text = StatementShape.of(sql.length() > MAX_CHARS ? sql.substring(0, MAX_CHARS) : sql);
        log.add(new Entry(text, TimeUnit.NANOSECONDS.toMillis(nanos)));
    }

    private static void insert(Transaction transaction, Entry entry) {
        transaction
                .statement("INSERT INTO tmp_query_log (sql_statement, duration) VALUES (?1, ?2)")
                .bindText(1, entry.sql())
                .bindInt(2, entry.millis())
                .run();
    }

    /// Writes the statements that still wait. Must be called before the store is closed.
    @Override
    public void close() {
        log.close();
    }
}
