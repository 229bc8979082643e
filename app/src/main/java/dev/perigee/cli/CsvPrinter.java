package dev.perigee.cli;

import dev.perigee.sqlite.Value;
import java.io.PrintWriter;
import java.util.List;

/// Prints CSV by RFC 4180: a header, lines that end in CR LF, quotes where a value needs them. NULL is empty, an empty
/// text is `""`.
///
/// @see <a href="https://www.rfc-editor.org/rfc/rfc4180">RFC 4180, section 2</a>
final class CsvPrinter implements RowPrinter {
    private final PrintWriter out;

    CsvPrinter(PrintWriter out) {
        this.out = out;
    }

    @Override
    public void columns(List<String> names) {
        if (!names.isEmpty()) line(names);
    }

    @Override
    public void row(List<Value> cells) {
        line(cells.stream().map(CsvPrinter::field).toList(), false);
    }

    @Override
    public void end() {
        out.flush();
    }

    private static String field(Value value) {
        return value instanceof Value.Null ? "" : quoted(RowPrinter.text(value, ""));
    }

    private void line(List<String> names) {
        line(names.stream().map(CsvPrinter::quoted).toList(), true);
    }

    private void line(List<String> fields, boolean isHeader) {
        // The line of a single NULL would be empty, and readers skip empty lines.
        out.print(fields.size() == 1 && fields.getFirst().isEmpty() && !isHeader ? "\"\"" : String.join(",", fields));
        out.print("\r\n");
    }

    private static String quoted(String text) {
        boolean isPlain =
                !text.isEmpty() && text.chars().noneMatch(c -> c == ',' || c == '"' || c == '\r' || c == '\n');
        return isPlain ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
