package dev.perigee.cli;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import java.io.PrintWriter;
import java.util.List;

/// Ends an answer whose reader has closed the pipe, as `head` does after its lines. A `PrintWriter` alone would
/// silently continue.
final class ClosedPipe implements RowPrinter {
    private static final int LOOKS_EVERY = 1000;

    private final PrintWriter buffered;
    private final PrintWriter out;
    private final RowPrinter printer;
    private long rows;

    /// @param buffered what `printer` writes to
    /// @param out the writer behind `buffered`; only this one knows of a failure
    ClosedPipe(PrintWriter buffered, PrintWriter out, RowPrinter printer) {
        this.buffered = buffered;
        this.out = out;
        this.printer = printer;
    }

    @Override
    public void columns(List<String> names) {
        printer.columns(names);
    }

    @Override
    public void row(List<Value> cells) {
        printer.row(cells);
        if (++rows % LOOKS_EVERY == 0) look();
    }

    @Override
    public void end() {
        printer.end();
        look();
    }

    private void look() {
        buffered.flush();
        if (out.checkError()) throw Fault.CLOSED.saying("standard output was closed; not all rows were shown");
    }
}
