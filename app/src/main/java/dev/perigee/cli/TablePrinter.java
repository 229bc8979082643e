package dev.perigee.cli;

import dev.perigee.sqlite.Value;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Prints a table for people. Columns are as wide as the first rows need; later rows are printed as they come; a count
/// ends the table.
final class TablePrinter implements RowPrinter {
    /// Rows that are held back to find the columns' widths.
    private static final int MEASURED = 100;

    private final PrintWriter out;
    private final List<List<String>> held = new ArrayList<>();
    private int[] widths = {};
    private boolean isMeasured;
    private long rows;

    TablePrinter(PrintWriter out) {
        this.out = out;
    }

    @Override
    public void columns(List<String> names) {
        widths = new int[names.size()];
        if (!names.isEmpty()) hold(names);
    }

    @Override
    public void row(List<Value> cells) {
        rows++;
        List<String> texts = cells.stream()
                .map(cell -> oneLine(RowPrinter.text(cell, "NULL")))
                .toList();
        if (isMeasured) {
            out.println(TextTable.line(texts, widths));
            return;
        }
        hold(texts);
        if (rows == MEASURED) release();
    }

    @Override
    public void end() {
        release();
        out.println(rows == 1 ? "(1 row)" : String.format(Locale.ROOT, "(%,d rows)", rows));
        out.flush();
    }

    private void hold(List<String> texts) {
        held.add(texts);
        for (int i = 0; i < texts.size(); i++) widths[i] = Math.max(widths[i], TextTable.width(texts.get(i)));
    }

    private void release() {
        isMeasured = true;
        for (int i = 0; i < held.size(); i++) {
            out.println(TextTable.line(held.get(i), widths));
            if (i == 0) out.println(TextTable.line(lines(), widths));
        }
        held.clear();
    }

    private List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (int width : widths) lines.add("-".repeat(width));
        return lines;
    }

    /// A value must neither end the line nor move the terminal's cursor.
    private static String oneLine(String text) {
        StringBuilder line = new StringBuilder(text.length());
        text.codePoints().forEach(point -> {
            if (point == '\n') line.append("\\n");
            else if (point == '\t') line.append("\\t");
            else if (Character.isISOControl(point)) line.append('\uFFFD');
            else line.appendCodePoint(point);
        });
        return line.toString();
    }
}
