package dev.perigee.plugin;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import de.siegmar.fastcsv.writer.QuoteStrategy;
import java.io.Writer;

/// How all of Perigee writes CSV.
///
/// @see <a href="https://www.rfc-editor.org/rfc/rfc4180">RFC 4180, section 2</a>
public final class Csv {
    /// `""` is the empty text, nothing is NULL. So a record of one NULL is an empty line, as PostgreSQL writes and
    /// reads it too. Spaces at either end are quoted, since some readers strip them otherwise.
    private static final QuoteStrategy QUOTES = new QuoteStrategy() {
        @Override
        public boolean quoteEmpty(int line, int field) {
            return true;
        }

        @Override
        public boolean quoteValue(int line, int field, String value) {
            return Character.isWhitespace(value.charAt(0)) || Character.isWhitespace(value.charAt(value.length() - 1));
        }
    };

    private Csv() {}

    /// A writer of records that end in CR LF.
    ///
    /// @param out should be buffered; the writer has no buffer of its own
    public static CsvWriter writer(Writer out) {
        return CsvWriter.builder()
                .quoteStrategy(QUOTES)
                .lineDelimiter(LineDelimiter.CRLF)
                .bufferSize(0)
                .build(out);
    }
}
