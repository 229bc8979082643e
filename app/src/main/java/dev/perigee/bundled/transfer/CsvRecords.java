package dev.perigee.bundled.transfer;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads the records of a CSV text. Fields may be quoted; a quoted field may have commas, line ends and doubled quotes.
/// Records end with CRLF, LF or CR. An empty field that is not quoted is null.
///
/// @see <a href="https://www.rfc-editor.org/rfc/rfc4180">RFC 4180</a>
final class CsvRecords {
    /// Longest record, in characters.
    static final int MAX_CHARS = 32 << 20;

    /// Maximum number of fields: the most columns that a table of SQLite can have.
    static final int MAX_FIELDS = 32_767;

    static final int BYTE_ORDER_MARK = 0xfeff;

    private final Reader in;
    private long line = 1;
    private long beginLine = 1;
    private int next = -2;

    /// In a text of one column, an empty line is a record whose field is null.
    private boolean hasOneColumn;

    private boolean isBegun;

    /// @param in should be buffered
    CsvRecords(Reader in) throws IOException {
        this.in = in;
        if (peek() == BYTE_ORDER_MARK) read();
    }

    /// The line on which the last record began, from 1.
    long line() {
        return beginLine;
    }

    /// The next record; null at the end. Empty lines are skipped before the first record, and everywhere if the first
    /// record has more than one field.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] for a quote that does not end, or ends before its field
    @Nullable
    List<@Nullable String> next() throws IOException {
        while (!hasOneColumn && (peek() == '\n' || peek() == '\r')) endOfLine();
        if (peek() < 0) return null;
        beginLine = line;
        List<@Nullable String> fields = new ArrayList<>();
        int chars = 0;
        while (true) {
            String field = field();
            if (fields.size() == MAX_FIELDS) {
                throw Fault.TOO_LARGE.saying(
                        "The record that begins on line %d has more than %d fields.".formatted(beginLine, MAX_FIELDS));
            }
            fields.add(field);
            chars += field == null ? 0 : field.length();
            if (chars > MAX_CHARS) throw tooLong();
            int end = peek();
            if (end == ',') {
                read();
                continue;
            }
            if (end >= 0) endOfLine();
            hasOneColumn = isBegun ? hasOneColumn : fields.size() == 1;
            isBegun = true;
            return fields;
        }
    }

    private @Nullable String field() throws IOException {
        StringBuilder text = new StringBuilder();
        if (peek() != '"') {
            for (int c = peek(); c >= 0 && c != ',' && c != '\n' && c != '\r'; c = peek()) {
                append(text, read());
            }
            return text.isEmpty() ? null : text.toString();
        }
        read();
        while (true) {
            int c = read();
            if (c < 0) throw wrong("a quoted field does not end");
            if (c != '"') {
                append(text, c);
            } else if (peek() == '"') {
                append(text, read());
            } else {
                int end = peek();
                if (end >= 0 && end != ',' && end != '\n' && end != '\r') {
                    throw wrong("something follows the end of a quoted field");
                }
                return text.toString();
            }
        }
    }

    private void append(StringBuilder text, int c) {
        if (text.length() == MAX_CHARS) throw tooLong();
        text.append((char) c);
    }

    private PerigeeException tooLong() {
        return Fault.TOO_LARGE.saying(
                "The record that begins on line %d has more than %d characters.".formatted(beginLine, MAX_CHARS));
    }

    private PerigeeException wrong(String what) {
        return Fault.INVALID_REQUEST.saying("Invalid CSV format: line %d: %s.".formatted(line, what));
    }

    private void endOfLine() throws IOException {
        if (read() == '\r' && peek() == '\n') read();
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
