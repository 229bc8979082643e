package dev.perigee.bundled.transfer;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.BufferedReader;
import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The records of a CSV text, read one at a time. An empty field without quotes is null, `""` is the empty text. In a
/// text of one column an empty line is a record whose field is null; with more columns empty lines are skipped.
///
/// @see <a href="https://www.rfc-editor.org/rfc/rfc4180">RFC 4180</a>
final class CsvRecords {
    /// Longest record, in characters.
    static final int MAX_CHARS = 32 << 20;

    /// Maximum number of fields: the most columns that a table of SQLite can have.
    static final int MAX_FIELDS = 32_767;

    static final int BYTE_ORDER_MARK = 0xfeff;

    /// At least what FastCSV reads beyond the end of a record.
    private static final int READ_AHEAD_CHARS = 16 << 10;

    private final BoundedText text;
    private final Fields fields = new Fields();
    private final Iterator<List<@Nullable String>> records;

    CsvRecords(Reader in) throws IOException {
        BufferedReader buffered = new BufferedReader(in);
        buffered.mark(1);
        if (buffered.read() != BYTE_ORDER_MARK) buffered.reset();
        text = new BoundedText(buffered);
        records = CsvReader.builder()
                .skipEmptyLines(false)
                .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
                .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                .allowUnclosedQuote(false)
                .maxBufferSize(MAX_CHARS + 4 * READ_AHEAD_CHARS)
                .build(fields, text)
                .iterator();
    }

    /// The line on which the last record began, from 1.
    long line() {
        return fields.line;
    }

    /// The next record; null at the end.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] for a quoted field that does not end, or that is followed by
    ///     anything but a comma or the end of the line; [Fault#TOO_LARGE] for a record past one of the bounds
    @Nullable
    List<@Nullable String> next() throws IOException {
        try {
            return records.hasNext() ? records.next() : null;
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (CsvParseException e) {
            if (e.getCause() instanceof PerigeeException bound) throw bound;
            if (e.getCause() instanceof Error error) throw error;
            // FastCSV has no codes for the two, but it asks for more text only after it has judged all it has.
            String what = text.isEnded ? "a quoted field does not end" : "something follows the end of a quoted field";
            throw Fault.INVALID_REQUEST.saying(
                    "Invalid CSV format: the record that begins on line %d: %s.".formatted(line(), what));
        }
    }

    /// Ends the reading of a record that is too long, before the whole of it is in memory.
    private final class BoundedText extends FilterReader {
        private boolean isEnded;

        BoundedText(Reader in) {
            super(in);
        }

        @Override
        public int read(char[] target, int offset, int length) throws IOException {
            int count = super.read(target, offset, length);
            if (count < 0) isEnded = true;
            else fields.readChars += count;
            if (fields.readChars > MAX_CHARS + READ_AHEAD_CHARS) {
                throw Fault.TOO_LARGE.saying("The record that begins on line %d has more than %d characters."
                        .formatted(fields.line, MAX_CHARS));
            }
            return count;
        }
    }

    /// The fields of the record that is being read.
    private static final class Fields extends AbstractBaseCsvCallbackHandler<List<@Nullable String>> {
        private List<@Nullable String> fields = new ArrayList<>();
        private boolean hasOneColumn;
        private boolean isBegun;
        private long line = 1;
        private long readChars;

        @Override
        protected void handleBegin(long startingLineNumber) {
            line = startingLineNumber;
            readChars = 0;
            fields = new ArrayList<>();
        }

        @Override
        protected void handleField(int index, char[] chars, int offset, int length, boolean isQuoted) {
            if (index == MAX_FIELDS) {
                throw Fault.TOO_LARGE.saying(
                        "The record that begins on line %d has more than %d fields.".formatted(line, MAX_FIELDS));
            }
            fields.add(length == 0 && !isQuoted ? null : new String(chars, offset, length));
        }

        @Override
        protected void handleEmpty() {
            if (hasOneColumn) fields.add(null);
        }

        @Override
        protected @Nullable List<@Nullable String> buildRecord() {
            if (fields.isEmpty()) return null;
            if (!isBegun) hasOneColumn = fields.size() == 1;
            isBegun = true;
            return fields;
        }
    }
}
