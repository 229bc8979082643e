package dev.perigee.statement;

import dev.perigee.sqlite.Value;
import java.util.List;

/// Receives a query's answer row by row, so that an answer of any size needs little memory.
public interface RowSink {
    /// Called once before the first row, even if there is no row.
    void columns(List<String> names);

    /// @return false to stop early
    boolean row(List<Value> cells);
}
