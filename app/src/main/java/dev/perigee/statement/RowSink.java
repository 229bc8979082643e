package dev.perigee.statement;

import dev.perigee.sqlite.Value;
import java.util.List;

/// Takes a query's answer row by row, so that one of any size needs little memory.
public interface RowSink {
    /// Called once, before any row, also when there is none.
    void columns(List<String> names);

    /// @return false to stop early
    boolean row(List<Value> cells);
}
