package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.query.sql.StatementShape;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.statement.StatementCall;
import dev.perigee.statement.StatementCall.Where;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The allowlist: clients can run only the statements in `tmp_allowlist_queries`. Safe for many threads.
///
/// Statements are compared in SQLite's normalized form: all literals and parameters are equal, blanks and comments are
/// removed. Statements for the external database, and those with macros, are compared by their [StatementShape],
/// because SQLite may not be able to parse them.
///
/// @see <a href="https://www.sqlite.org/c3ref/expanded_sql.html">SQLite: sqlite3_normalized_sql</a>
final class Allowlist {
    /// Rejections that are kept in `tmp_allowlist_rejections`.
    static final int MAX_REJECTIONS = 1000;

    /// Rejections that may wait for the writer. More are not recorded, so that a client cannot keep the writer busy.
    private static final int MAX_WAITING = 100;

    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final Logger LOG = LoggerFactory.getLogger(Allowlist.class);

    /// Entries that are read, the oldest first. Later ones allow nothing.
    static final int MAX_ENTRIES = 10_000;

    /// The triggers call `perigee_normalized`. It fails for an entry that does not parse, and so does the statement
    /// that adds or changes the entry.
    static final List<String> TABLES = List.of("""
            CREATE TABLE IF NOT EXISTS tmp_allowlist_queries (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                sql_statement TEXT NOT NULL,
                source TEXT DEFAULT 'external'
            )""", """
            CREATE TABLE IF NOT EXISTS tmp_allowlist_rejections (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                sql_statement TEXT NOT NULL,
                source TEXT DEFAULT 'external',
                created_at TEXT DEFAULT (datetime('now'))
            )""", """
            CREATE TRIGGER IF NOT EXISTS tmp_allowlist_added BEFORE INSERT ON tmp_allowlist_queries BEGIN
                SELECT perigee_normalized(NEW.sql_statement, NEW.source);
            END""", """
            CREATE TRIGGER IF NOT EXISTS tmp_allowlist_changed BEFORE UPDATE ON tmp_allowlist_queries BEGIN
                SELECT perigee_normalized(NEW.sql_statement, NEW.source);
            END""");

    private record Entry(String sql, String source) {}

    /// The entries as they are in the table, and in the form that statements are compared with.
    private record Listed(List<Entry> entries, Set<Entry> normalized) {}

    private volatile Listed listed = new Listed(List.of(), Set.of());
    private final Store store;
    private final AtomicInteger waiting = new AtomicInteger();

    private final WorkerQueries workers;

    /// @param workers compile clients' statements
    Allowlist(Store store, WorkerQueries workers) {
        this.store = store;
        this.workers = workers;
    }

    /// Checks a client's statement.
    ///
    /// @param call the statement after the plugins' hooks
    /// @param sent the statement as the client sent it, before plugins expanded their macros
    /// @throws PerigeeException [Fault#FORBIDDEN] if the statement is not on the list; the rejection is recorded
    void check(StatementCall call, String sent) {
        boolean isExternal = call.where() == Where.EXTERNAL;
        String source = isExternal ? "external" : "internal";
        String text;
        if (StatementShape.hasMacro(sent)) text = StatementShape.of(sent);
        else text = isExternal ? StatementShape.of(call.sql()) : workers.normalized(call.caller(), call.sql());
        boolean isListed =
                store.read(LIMIT, transaction -> list(transaction).normalized().contains(new Entry(text, source)));
        if (isListed) return;
        record(call.sql(), source);
        throw Fault.FORBIDDEN.saying(
                "Query not allowed: the statement is not in tmp_allowlist_queries for \"%s\".".formatted(source));
    }

    /// The list as the transaction sees it. The entries are normalized again only if the table has changed.
    private Listed list(Transaction transaction) {
        List<Entry> entries = new ArrayList<>();
        SqliteStatement select = transaction
                .statement("SELECT sql_statement, source FROM tmp_allowlist_queries ORDER BY id LIMIT ?1")
                .bindInt(1, MAX_ENTRIES);
        while (select.step()) {
            String source = "internal".equals(select.textAt(1)) ? "internal" : "external";
            entries.add(new Entry(String.valueOf(select.textAt(0)), source));
        }
        Listed known = listed;
        if (known.entries().equals(entries)) return known;
        Set<Entry> normalized = new HashSet<>();
        for (Entry entry : entries) {
            try {
                String text = entry.source().equals("external") || StatementShape.hasMacro(entry.sql())
                        ? StatementShape.of(entry.sql())
                        : NormalizedSql.of(transaction.connection(), entry.sql());
                normalized.add(new Entry(text, entry.source()));
            } catch (PerigeeException e) {
                LOG.warn("An entry of tmp_allowlist_queries no longer parses and allows nothing", e);
            }
        }
        Listed read = new Listed(List.copyOf(entries), normalized);
        listed = read;
        return read;
    }

    private void record(String sql, String source) {
        if (waiting.incrementAndGet() > MAX_WAITING) {
            waiting.decrementAndGet();
            return;
        }
        try {
            // The caller gets the refusal and does not wait for its record.
            CompletableFuture<?> _ = store.submit(transaction -> {
                        transaction
                                .statement(
                                        "INSERT INTO tmp_allowlist_rejections (sql_statement, source) VALUES (?1, ?2)")
                                .bindText(1, sql.length() > 10_000 ? sql.substring(0, 10_000) : sql)
                                .bindText(2, source)
                                .run();
                        transaction
                                .statement("DELETE FROM tmp_allowlist_rejections WHERE id <="
                                        + " (SELECT max(id) FROM tmp_allowlist_rejections) - ?1")
                                .bindInt(1, MAX_REJECTIONS)
                                .run();
                        return null;
                    })
                    .whenComplete((_, failure) -> {
                        waiting.decrementAndGet();
                        if (failure != null) LOG.warn("A rejected statement was not recorded", failure);
                    });
        } catch (PerigeeException e) {
            waiting.decrementAndGet();
            LOG.warn("A rejected statement could not be recorded", e);
        }
    }
}
