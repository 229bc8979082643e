package dev.perigee.bundled.transfer;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.BulkWrite;
import dev.perigee.sqlite.Affinity;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Inserts rows into one table, one by one. As the caller chooses, the first row that fails ends the import, or each
/// row that fails is left out and reported.
final class RowImport {
    /// Maximum number of failures that are reported; more are only counted.
    static final int MAX_FAILURES = 100;

    /// Maximum number of different sets of columns that rows may have, because each needs a prepared statement.
    private static final int MAX_SHAPES = 200;

    private static final int SHOWN_CHARS = 500;

    /// @param row the number of the row, from 1
    /// @param line the line on which it begins in the text; 0 if lines mean nothing
    record Failure(long row, long line, String statement, String error) {}

    /// @param isComputed whether it is a generated column; values that the text has for it are skipped
    private record Column(String name, Affinity affinity, boolean isBlob, boolean isComputed) {}

    private final BulkWrite bulk;
    private final String table;
    private final Map<String, String> mapping;
    private final Map<String, Column> columns = new HashMap<>();
    private final boolean decodesBlobs;
    private final boolean reports;
    private final ImportProgress progress;
    private final Map<List<Column>, SqliteStatement> statements = new HashMap<>();
    private final List<Failure> failures = new ArrayList<>();
    private long rows;
    private long failed;

    /// @param table as the schema spells it
    /// @param mapping names in the text to names of columns
    /// @param reports whether a row that fails is left out and reported; else it ends the import
    /// @param decodesBlobs whether texts for columns of type BLOB are base64
    /// @param progress is told of each row
    RowImport(
            BulkWrite bulk,
            String table,
            Map<String, String> mapping,
            boolean reports,
            boolean decodesBlobs,
            ImportProgress progress) {
        this.progress = progress;
        this.bulk = bulk;
        this.table = table;
        this.mapping = mapping;
        this.reports = reports;
        this.decodesBlobs = decodesBlobs;
        SqliteStatement select =
                bulk.prepare("SELECT name, type, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid");
        select.bindText(1, table);
        while (select.step()) {
            String name = String.valueOf(select.textAt(0));
            String type = select.textAt(1) == null ? "" : String.valueOf(select.textAt(1));
            boolean isBlob = type.toUpperCase(Locale.ROOT).contains("BLOB");
            columns.put(SqlNames.folded(name), new Column(name, Affinity.of(type), isBlob, select.intAt(2) != 0));
        }
        select.reset();
    }

    long rows() {
        return rows;
    }

    long failed() {
        return failed;
    }

    List<Failure> failures() {
        return Collections.unmodifiableList(failures);
    }

    /// Inserts one row.
    ///
    /// @param names as the text has them
    /// @param line the line on which the row begins; 0 if lines mean nothing
    /// @throws PerigeeException the row's failure, if rows that fail are not left out, or a failure of the server, such
    ///     as a full disk
    void row(List<String> names, List<Cell> values, long line) {
        rows++;
        try {
            if (reports) bulk.apart(() -> insert(names, values));
            else insert(names, values);
        } catch (PerigeeException e) {
            if (bulk.isUndone()) throw undone(e);
            boolean isTheServers =
                    e.fault() == Fault.DISK_FULL || e.fault() == Fault.DISK_FAILED || e.fault() == Fault.CLOSED;
            if (isTheServers) throw e;
            if (!reports) throw failure(e, line);
            failed++;
            if (failures.size() < MAX_FAILURES) {
                failures.add(new Failure(rows, line, cut(sql(names)), cut(e.getMessage())));
            }
        }
        progress.rows(rows, failed);
    }

    /// Counts as failed a part of the text that is not a valid row.
    void wrong(String why, long line) {
        rows++;
        PerigeeException reason = Fault.INVALID_REQUEST.saying(why);
        if (!reports) throw failure(reason, line);
        failed++;
        if (failures.size() < MAX_FAILURES) failures.add(new Failure(rows, line, "", why));
        progress.rows(rows, failed);
    }

    private PerigeeException failure(PerigeeException e, long line) {
        String where = line > 0 ? "Row %d (line %d)".formatted(rows, line) : "Row %d".formatted(rows);
        return e.fault()
                .saying("%s: %s Nothing was imported; with ?onError=report the other rows would be imported."
                        .formatted(where, sentence(String.valueOf(e.getMessage()))));
    }

    /// What to throw if a row that failed rolled back all that was imported before it.
    static PerigeeException undone(PerigeeException e) {
        return e.fault()
                .saying(
                        "%s That rolled back the whole transaction (ON CONFLICT ROLLBACK, or RAISE(ROLLBACK)). Nothing was imported."
                                .formatted(sentence(cut(e.getMessage()))));
    }

    /// Shortens a text, so that a report of many failures stays small.
    static String cut(String text) {
        return text.length() > SHOWN_CHARS ? text.substring(0, SHOWN_CHARS) + "…" : text;
    }

    private static String sentence(String text) {
        return text.endsWith(".") ? text : text + ".";
    }

    private void insert(List<String> names, List<Cell> values) {
        List<Column> targets = new ArrayList<>(names.size());
        for (String name : names) targets.add(column(name));
        SqliteStatement insert = statements.get(targets);
        if (insert == null) {
            // SQLite would silently take the first of them.
            Set<Column> once = new HashSet<>();
            for (Column target : targets) {
                if (once.add(target)) continue;
                throw Fault.INVALID_REQUEST.saying("The column \"%s\" is named twice.".formatted(target.name()));
            }
            if (statements.size() == MAX_SHAPES) {
                throw Fault.INVALID_REQUEST.saying(
                        "The rows have more than %d different sets of columns.".formatted(MAX_SHAPES));
            }
            insert = bulk.prepare(sql(names));
            statements.put(List.copyOf(targets), insert);
        }
        try {
            int parameter = 1;
            for (int i = 0; i < values.size(); i++) {
                if (targets.get(i).isComputed()) continue;
                insert.bind(parameter++, value(targets.get(i), values.get(i)));
            }
            insert.step();
        } finally {
            insert.reset();
            insert.clearBindings();
        }
    }

    private Value value(Column column, Cell cell) {
        return switch (cell) {
            case Cell.Absent.NULL -> Value.Null.NULL;
            case Cell.Number(String digits) ->
                column.affinity().ofNumber(digits).orElseThrow(() -> outOfRange(column));
            case Cell.Text(String text) when decodesBlobs && column.isBlob() -> bytes(column, text);
            case Cell.Text(String text) -> column.affinity().ofText(text).orElseThrow(() -> outOfRange(column));
        };
    }

    private static PerigeeException outOfRange(Column column) {
        return Fault.INVALID_REQUEST.saying(
                "The number of \"%s\" is out of range: the column would not keep all of its digits."
                        .formatted(column.name()));
    }

    private static Value bytes(Column column, String base64) {
        try {
            return new Value.Blob(ByteBuffer.wrap(Base64.getDecoder().decode(base64)));
        } catch (IllegalArgumentException _) {
            throw Fault.INVALID_REQUEST.saying("The value of \"%s\" is not base64.".formatted(column.name()));
        }
    }

    private Column column(String name) {
        String wanted = mapping.getOrDefault(name, name);
        Column known = columns.get(SqlNames.folded(wanted));
        if (known == null) {
            throw Fault.INVALID_REQUEST.saying("The table \"%s\" has no column \"%s\" that can be written."
                    .formatted(table, wanted.length() > 100 ? wanted.substring(0, 100) : wanted));
        }
        return known;
    }

    private String sql(List<String> names) {
        StringBuilder into = new StringBuilder();
        StringBuilder marks = new StringBuilder();
        for (String name : names) {
            String wanted = mapping.getOrDefault(name, name);
            Column known = columns.get(SqlNames.folded(wanted));
            if (known != null && known.isComputed()) continue;
            if (!into.isEmpty()) {
                into.append(", ");
                marks.append(", ");
            }
            into.append(SqlNames.quoted(known == null ? wanted : known.name()));
            marks.append('?');
        }
        if (into.isEmpty()) return "INSERT INTO %s DEFAULT VALUES".formatted(SqlNames.quoted(table));
        return "INSERT INTO %s (%s) VALUES (%s)".formatted(SqlNames.quoted(table), into, marks);
    }
}
