package dev.perigee.pages;

import dev.perigee.sqlite.Affinity;
import java.util.List;

/// A rowid table without indexes, as [TableBuilder] fills it.
///
/// @param columns all columns, in the order of the table's definition
/// @param rowidColumn the index of the column that is the rowid (`INTEGER PRIMARY KEY`); -1 where no column is, and
///     rows are numbered from 1
public record TableShape(List<Column> columns, int rowidColumn) {
    /// @param isNotNull whether the column refuses NULL
    public record Column(Affinity affinity, boolean isNotNull) {}

    public TableShape {
        columns = List.copyOf(columns);
        if (rowidColumn >= columns.size()) {
            throw new IllegalArgumentException("column %d of %d".formatted(rowidColumn, columns.size()));
        }
    }
}
