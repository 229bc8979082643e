package dev.perigee.bundled.transfer;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteStatement;
import java.io.IOException;
import java.io.Reader;
import org.jspecify.annotations.Nullable;

/// Splits an SQL text into its statements, one after another, with the comments inside them. A text of any length needs
/// only the memory of its longest statement.
///
/// `sqlite3_complete` decides which semicolons end a statement. It reads all that it is given at each call, so it gets
/// only what stands outside of literals and comments, since the last semicolon: a text is read in linear time.
///
/// @see <a href="https://www.sqlite.org/c3ref/complete.html">SQLite: Determine If An SQL Statement Is Complete</a>
public final class SqlStatements {
    /// Longest statement, in characters.
    static final int MAX_CHARS = 32 << 20;

    private static final int MAX_OUTSIDE_CHARS = 1000;

    private final Reader in;
    private final StringBuilder text = new StringBuilder();

    /// The statement's text outside of literals and comments since its last semicolon, blanks collapsed: what SQLite is
    /// asked about. Its first characters decide, so the rest is left out.
    private final StringBuilder outside = new StringBuilder();

    private boolean isInTrigger;
    private long line = 1;
    private long beginLine = 1;
    private int next = -2;

    /// @param in should be buffered
    public SqlStatements(Reader in) {
        this.in = in;
    }

    /// The line on which the last statement began, from 1.
    public long line() {
        return beginLine;
    }

    /// The next statement without its semicolon; null at the end.
    public @Nullable String next() throws IOException {
        begin();
        for (int c = read(); c >= 0; c = read()) {
            switch (c) {
                case '\'', '"', '`' -> quoted(c, c);
                case '[' -> quoted(c, ']');
                case '-' -> {
                    if (peek() == '-') comment(c);
                    else plain(c);
                }
                case '/' -> {
                    if (peek() == '*') blockComment();
                    else plain(c);
                }
                case ';' -> {
                    if (!isEnd()) {
                        append(';');
                    } else {
                        String statement = text.toString();
                        if (!statement.isBlank()) return statement;
                        begin();
                    }
                }
                default -> plain(c);
            }
        }
        return text.toString().isBlank() ? null : text.toString();
    }

    private void begin() {
        text.setLength(0);
        outside.setLength(0);
        isInTrigger = false;
    }

    /// Whether a semicolon here, outside of literals and comments, ends the statement. Only in a trigger's body it does
    /// not; there, SQLite's state after each semicolon is the same as after the shortest such text.
    private boolean isEnd() {
        boolean isEnd = SqliteStatement.isComplete((isInTrigger ? "CREATE TRIGGER;" : "") + outside + ';');
        outside.setLength(0);
        isInTrigger = !isEnd;
        return isEnd;
    }

    private void plain(int c) {
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            blank();
            if (!text.isEmpty()) append((char) c); // Blanks before a statement are dropped.
            return;
        }
        if (text.isEmpty()) beginLine = line;
        append((char) c);
        // SQLite stops at a NUL, which is nowhere allowed in a statement.
        if (outside.length() < MAX_OUTSIDE_CHARS) outside.append(c == 0 ? '?' : (char) c);
    }

    private void blank() {
        boolean isFirst = outside.isEmpty() || outside.charAt(outside.length() - 1) != ' ';
        if (isFirst && outside.length() < MAX_OUTSIDE_CHARS) outside.append(' ');
    }

    private void quoted(int begin, int end) throws IOException {
        if (text.isEmpty()) beginLine = line;
        if (outside.length() < MAX_OUTSIDE_CHARS) outside.append("''");
        append((char) begin);
        for (int c = read(); c >= 0; c = read()) {
            append((char) c);
            if (c == end) return; // A doubled quote counts as an end and a new beginning.
        }
    }

    private void comment(int first) throws IOException {
        blank();
        int c = first;
        while (c >= 0 && c != '\n') {
            inComment(c);
            c = read();
        }
        inComment('\n');
    }

    private void blockComment() throws IOException {
        blank();
        inComment('/');
        inComment(read());
        int before = read();
        if (before >= 0) inComment(before);
        for (int c = read(); c >= 0; c = read()) {
            inComment(c);
            if (before == '*' && c == '/') break;
            before = c;
        }
    }

    /// The schema keeps comments within a statement, so they are kept. Comments before a statement are dropped.
    private void inComment(int c) {
        if (!text.isEmpty()) append((char) c);
    }

    private void append(char c) {
        if (text.length() == MAX_CHARS) {
            throw Fault.TOO_LARGE.saying("The statement that begins on line %d has more than %d characters."
                    .formatted(beginLine, MAX_CHARS));
        }
        text.append(c);
    }

    private int read() throws IOException {
        int c = next == -2 ? in.read() : next;
        next = -2;
        if (c == '\n') line++;
        return c;
    }

    private int peek() throws IOException {
        if (next == -2) next = in.read();
        return next;
    }
}
