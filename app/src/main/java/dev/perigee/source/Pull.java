package dev.perigee.source;

import dev.perigee.config.TableConfig;
import java.util.List;

/// What to pull from a table.
///
/// @param table as returned by [Source#describe]
/// @param columns the columns to read, in the order of the batch's cells
/// @param key the columns that identify a row; may be empty in [Scope.Changed] only
/// @param scope which rows to read, and in which order
/// @param pageRows the most rows in a batch
/// @param numeric how numerics are stored; see docs/types.md
/// @param timestamps how timestamps are stored; see docs/types.md
public record Pull(
        SourceTable table,
        List<String> columns,
        List<String> key,
        Scope scope,
        int pageRows,
        TableConfig.NumericStorage numeric,
        TableConfig.TimestampStorage timestamps) {

    public Pull {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }

    /// The same pull with another scope.
    public Pull of(Scope other) {
        return new Pull(table, columns, key, other, pageRows, numeric, timestamps);
    }
}
