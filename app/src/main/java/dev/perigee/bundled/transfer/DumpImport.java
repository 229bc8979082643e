package dev.perigee.bundled.transfer;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.BulkWrite;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Runs the statements of a dump in one transaction. The dump's own `BEGIN` and `COMMIT` are skipped, and so are
/// pragmas that set only a file or a connection. Among them is `foreign_keys`: the replica does not enforce foreign
/// keys.
final class DumpImport {
    /// Maximum number of characters of a statement that a failure's report shows.
    private static final int SHOWN_CHARS = 200;

    /// Pragmas that set only a file or a connection. They change no row here.
    private static final String SETTINGS =
            "foreign_keys|defer_foreign_keys|user_version|application_id|encoding|journal_mode|synchronous|page_size"
                    + "|auto_vacuum|cache_size|locking_mode|temp_store|legacy_file_format";

    private static final String SETTING_VALUE = "['\"]?[-+\\w]+['\"]?";

    private static final Pattern SKIPPED = Pattern.compile(
            "(BEGIN|COMMIT|END)(\\s+(DEFERRED|IMMEDIATE|EXCLUSIVE))?(\\s+TRANSACTION)?|PRAGMA\\s+(%s)\\s*(=\\s*%s|\\(\\s*%s\\s*\\))"
                    .formatted(SETTINGS, SETTING_VALUE, SETTING_VALUE),
            Pattern.CASE_INSENSITIVE);
    private static final Pattern SEQUENCES =
            Pattern.compile("DELETE\\s+FROM\\s+\"?sqlite_sequence\"?", Pattern.CASE_INSENSITIVE);

    private static final Pattern COMMENT = Pattern.compile("--[^\n]*|/\\*.*?(\\*/|$)", Pattern.DOTALL);
    private static final String BLANK = "(?:\\s|--[^\n]*|/\\*.*?\\*/)++";
    private static final Pattern TABLE = Pattern.compile(
            "CREATE@TABLE@(?:IF@NOT@EXISTS@)?".replace("@", BLANK), Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /// @param line where the statement begins
    record Failure(String statement, long line, boolean success, String error) {}

    private final BulkWrite bulk;
    private final boolean reports;
    private final List<String> made = new ArrayList<>();
    private final List<Failure> failures = new ArrayList<>();
    private long succeeded;
    private long failed;

    /// @param reports whether a statement that fails is left out and reported; else it ends the import
    DumpImport(BulkWrite bulk, boolean reports) {
        this.bulk = bulk;
        this.reports = reports;
    }

    long succeeded() {
        return succeeded;
    }

    long failed() {
        return failed;
    }

    List<Failure> failures() {
        return Collections.unmodifiableList(failures);
    }

    void read(Path file, ImportProgress progress) throws IOException {
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(progress.open(file), StandardCharsets.UTF_8.newDecoder()))) {
            skipByteOrderMark(in);
            SqlStatements statements = new SqlStatements(in);
            for (String sql = statements.next(); sql != null; sql = statements.next()) {
                run(sql.strip(), statements.line());
                progress.rows(succeeded + failed, failed);
            }
        }
    }

    private void run(String sql, long line) {
        // A long statement is data, and no pattern needs to look at it.
        boolean isShort = sql.length() < 10_000;
        if (isShort && SKIPPED.matcher(bare(sql)).matches()) return;
        try {
            if (reports) bulk.apart(() -> one(sql, isShort));
            else one(sql, isShort);
            succeeded++;
        } catch (PerigeeException e) {
            if (bulk.isUndone()) throw RowImport.undone(e);
            if (e.fault() == Fault.DISK_FULL || e.fault() == Fault.DISK_FAILED || e.fault() == Fault.CLOSED) throw e;
            String shown = sql.length() > SHOWN_CHARS ? sql.substring(0, SHOWN_CHARS) + "…" : sql;
            if (!reports) {
                throw e.fault()
                        .saying("Statement %d (line %d) failed: %s Nothing was imported. The statement is: %s"
                                .formatted(succeeded + 1, line, e.getMessage(), shown));
            }
            failed++;
            if (failures.size() < RowImport.MAX_FAILURES) {
                failures.add(new Failure(shown, line, false, RowImport.cut(e.getMessage())));
            }
        }
    }

    private static void skipByteOrderMark(BufferedReader in) throws IOException {
        in.mark(1);
        if (in.read() != CsvRecords.BYTE_ORDER_MARK) in.reset();
    }

    /// A statement without its comments, to tell what it does.
    private static String bare(String sql) {
        return COMMENT.matcher(sql).replaceAll(" ").strip();
    }

    private void one(String sql, boolean isShort) {
        if (isShort && SEQUENCES.matcher(bare(sql)).matches()) {
            // Only for the tables that the dump made: the sequences of others continue.
            for (String table : made) {
                bulk.run("DELETE FROM sqlite_sequence WHERE name = '%s' COLLATE NOCASE"
                        .formatted(table.replace("'", "''")));
            }
            return;
        }
        if (isShort && sql.toUpperCase(Locale.ROOT).startsWith("PRAGMA")) {
            throw Fault.FORBIDDEN.saying(
                    "%s is not run: a dump may only make tables and fill them. To dump virtual tables, use /export/dump."
                            .formatted(sql));
        }
        bulk.run(sql);
        Matcher table = TABLE.matcher(isShort ? sql : sql.substring(0, 10_000));
        if (table.lookingAt()) made.add(name(sql, table.end()));
    }

    /// The name that begins at `from`, without its quotes. Read by hand, because a regular expression would need a deep
    /// stack for a long name.
    private static String name(String sql, int from) {
        char first = sql.charAt(from);
        boolean isQuoted = "\"'`[".indexOf(first) >= 0;
        char end = first == '[' ? ']' : first;
        StringBuilder name = new StringBuilder();
        for (int i = isQuoted ? from + 1 : from; i < sql.length(); i++) {
            char c = sql.charAt(i);
            if (!isQuoted && (Character.isWhitespace(c) || c == '(')) break;
            if (isQuoted && c == end) {
                boolean isDoubled = c != ']' && i + 1 < sql.length() && sql.charAt(i + 1) == end;
                if (!isDoubled) break;
                i++;
            }
            name.append(c);
        }
        return name.toString();
    }
}
