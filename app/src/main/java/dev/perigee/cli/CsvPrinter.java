package dev.perigee.cli;

import de.siegmar.fastcsv.writer.CsvWriter;
import dev.perigee.plugin.Csv;
import dev.perigee.sqlite.Value;
import java.io.PrintWriter;
import java.util.List;

/// Prints CSV: a header, then a record for each row. NULL is an empty field, an empty text is `""`.
final class CsvPrinter implements RowPrinter {
    private final PrintWriter out;
    private final CsvWriter records;

    CsvPrinter(PrintWriter out) {
        this.out = out;
        this.records = Csv.writer(out);
    }

    @Override
    public void columns(List<String> names) {
        if (!names.isEmpty()) records.writeRecord(names);
    }

    @Override
    public void row(List<Value> cells) {
        String[] fields = new String[cells.size()];
        for (int i = 0; i < fields.length; i++) {
            Value value = cells.get(i);
            if (!(value instanceof Value.Null)) fields[i] = RowPrinter.text(value, "");
        }
        records.writeRecord(fields);
    }

    @Override
    public void end() {
        out.flush();
    }
}
