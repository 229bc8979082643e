package dev.perigee.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/// Prints rows of text in columns as wide as their widest cell. It holds all rows in memory, so it is for few rows.
final class TextTable {
    private final List<List<String>> rows = new ArrayList<>();

    TextTable(List<String> header) {
        rows.add(header);
    }

    void add(List<String> row) {
        rows.add(row);
    }

    void print(PrintWriter out) {
        int columns = rows.getFirst().size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) widths[i] = Math.max(widths[i], width(row.get(i)));
        }
        for (List<String> row : rows) out.println(line(row, widths));
    }

    /// The cells of a row, each padded to its column's width, except the last.
    static String line(List<String> cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < cells.size(); i++) {
            String cell = cells.get(i);
            line.append(i == 0 ? "" : "  ").append(cell);
            if (i < cells.size() - 1) line.repeat(' ', Math.max(0, widths[i] - width(cell)));
        }
        return line.toString();
    }

    static int width(String cell) {
        return cell.codePointCount(0, cell.length());
    }
}
