package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;

/// Tries out a schema that a client has just changed. Before the commit, it compiles in the worker process what other
/// statements would have to compile: each view, and each table's generated columns and triggers. A change that makes
/// this slow is refused, so that it cannot slow down an admin's statement or a sync in the server.
///
/// The compiled statements are thrown away. A trial that exceeds the worker's limits ends with the worker.
final class SchemaTrial {
    /// CPU time that one statement on a view or table may take to compile.
    private static final long MAX_NANOS = 250_000_000;

    /// CPU time for the whole schema.
    private static final long MAX_TOTAL_NANOS = 5_000_000_000L;

    private static final String NAMES = """
            SELECT type, name FROM main.sqlite_schema
            WHERE type IN ('view', 'table') AND name NOT LIKE 'tmp\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            ORDER BY type DESC, name""";

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private record Named(boolean isView, String name) {}

    private final SqliteConnection connection;

    SchemaTrial(SqliteConnection connection) {
        this.connection = connection;
    }

    /// Compiles the statements.
    ///
    /// @throws PerigeeException [Fault#TOO_LARGE] if it takes too long, naming the view or table
    void run() {
        long begin = THREADS.getCurrentThreadCpuTime();
        for (Named each : names()) {
            String name = SqlNames.quoted(each.name());
            compile(each, "SELECT * FROM main." + name);
            if (!each.isView()) {
                compile(each, "INSERT INTO main." + name + " DEFAULT VALUES");
                compile(each, "DELETE FROM main." + name);
                compile(each, update(each.name()));
            }
            if (THREADS.getCurrentThreadCpuTime() - begin > MAX_TOTAL_NANOS) {
                throw Fault.TOO_LARGE.saying(
                        "The schema's views and triggers take more than %d ms to compile: drop some, or ask an admin."
                                .formatted(MAX_TOTAL_NANOS / 1_000_000));
            }
        }
    }

    private void compile(Named what, String sql) {
        if (sql.isEmpty()) return;
        long begin = THREADS.getCurrentThreadCpuTime();
        try (SqliteStatement _ = connection.prepare(sql)) {
            refuseIfLong(what, begin);
        } catch (SqliteException e) {
            refuseIfLong(what, begin);
            // A view whose table is gone, or a trigger that no longer fits, fails quickly and slows nobody down.
            if (e.fault() == Fault.TOO_LARGE || e.fault() == Fault.TIME_LIMIT) throw e;
        }
    }

    private static void refuseIfLong(Named what, long begin) {
        long nanos = THREADS.getCurrentThreadCpuTime() - begin;
        if (nanos <= MAX_NANOS) return;
        throw Fault.TOO_LARGE.saying(
                "Statements on the %s \"%s\" would take %d ms to compile; a client may cause at most %d ms."
                        .formatted(
                                what.isView() ? "view" : "table",
                                what.name(),
                                nanos / 1_000_000,
                                MAX_NANOS / 1_000_000));
    }

    private String update(String table) {
        try (SqliteStatement columns = connection.prepare("SELECT name FROM pragma_table_info(?1, 'main')")) {
            columns.bindText(1, table);
            List<String> sets = new ArrayList<>();
            while (columns.step()) {
                String column = SqlNames.quoted(String.valueOf(columns.textAt(0)));
                sets.add(column + " = " + column);
            }
            return sets.isEmpty()
                    ? ""
                    : "UPDATE main.%s SET %s".formatted(SqlNames.quoted(table), String.join(", ", sets));
        }
    }

    private List<Named> names() {
        List<Named> names = new ArrayList<>();
        try (SqliteStatement select = connection.prepare(NAMES)) {
            while (select.step()) {
                names.add(new Named("view".equals(select.textAt(0)), String.valueOf(select.textAt(1))));
            }
        }
        return names;
    }
}
