package dev.perigee.bundled.transfer;

import dev.perigee.fault.Fault;
import java.io.IOException;
import java.io.Reader;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Splits an SQL text into its statements, one after another, with the comments inside them. A text of any length needs
/// only the memory of its longest statement.
///
/// A semicolon ends a statement unless it is within quotes, a comment, or a trigger's body, which ends with `; END;`.
///
/// @see <a href="https://www.sqlite.org/c3ref/complete.html">SQLite: Determine If An SQL Statement Is Complete</a>
public final class SqlStatements {
    /// Longest statement, in characters.
    static final int MAX_CHARS = 32 << 20;

    private final Reader in;
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder word = new StringBuilder();
    private long line = 1;
    private long beginLine = 1;
    private int next = -2;

    /// The words of the statement so far. The first ones tell whether it creates a trigger.
    private int wordCount;

    private boolean mayBeTrigger;
    private boolean isTrigger;
    private boolean followsSemicolon;
    private boolean followsEnd;

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
                case '\'', '"', '`' -> quoted(c);
                case '[' -> quoted(']');
                case '-' -> {
                    if (peek() == '-') comment(c);
                    else token((char) c);
                }
                case '/' -> {
                    if (peek() == '*') blockComment();
                    else token((char) c);
                }
                case ';' -> {
                    endWord();
                    if (!isTrigger || followsEnd) {
                        String statement = text.toString();
                        if (!statement.isBlank()) return statement;
                        begin();
                    } else {
                        append(';');
                        followsSemicolon = true;
                    }
                }
                default -> token((char) c);
            }
        }
        endWord();
        return text.toString().isBlank() ? null : text.toString();
    }

    private void begin() {
        text.setLength(0);
        word.setLength(0);
        wordCount = 0;
        mayBeTrigger = true;
        isTrigger = false;
        followsSemicolon = false;
        followsEnd = false;
    }

    private void token(char c) throws IOException {
        if (Character.isLetterOrDigit(c) || c == '_' || c == '$' || c > 127) {
            if (text.isEmpty()) beginLine = line;
            append(c);
            // A word longer than this is not a keyword.
            if (word.length() < 16) word.append(c);
            return;
        }
        endWord();
        if (Character.isWhitespace(c)) {
            if (!text.isEmpty()) append(c); // Blanks before a statement are dropped.
            return;
        }
        if (text.isEmpty()) beginLine = line;
        append(c);
        other();
    }

    private void endWord() {
        if (word.isEmpty()) return;
        String found = word.toString().toUpperCase(Locale.ROOT);
        word.setLength(0);
        wordCount++;
        if (mayBeTrigger && !isTrigger) {
            switch (found) {
                case "CREATE" -> mayBeTrigger = wordCount == 1;
                case "TEMP", "TEMPORARY" -> mayBeTrigger = wordCount == 2;
                case "TRIGGER" -> isTrigger = wordCount > 1;
                default -> mayBeTrigger = false;
            }
        }
        followsEnd = followsSemicolon && found.equals("END");
        followsSemicolon = false;
    }

    /// Notes a token that is not a word.
    private void other() {
        mayBeTrigger = false;
        followsSemicolon = false;
        followsEnd = false;
    }

    private void quoted(int end) throws IOException {
        endWord();
        if (text.isEmpty()) beginLine = line;
        other();
        append((char) (end == ']' ? '[' : end));
        for (int c = read(); c >= 0; c = read()) {
            append((char) c);
            if (c == end) return; // A doubled quote counts as an end and a new beginning.
        }
    }

    private void comment(int first) throws IOException {
        endWord();
        int c = first;
        while (c >= 0 && c != '\n') {
            inComment(c);
            c = read();
        }
        inComment('\n');
    }

    private void blockComment() throws IOException {
        endWord();
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
