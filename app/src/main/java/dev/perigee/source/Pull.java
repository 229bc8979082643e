package dev.perigee.source;

import dev.perigee.config.TableConfig;
import java.util.List;

/// What to pull from a table.
///
/// @param table as [Source#describe] gave it
/// @param columns the columns wanted, in the order of the batch's cells
/// @param key columns that identify a row; may be empty in [Scope.Changed] only
/// @param scope which rows, in which order
/// @param pageRows rows in a batch at most
/// @param numeric see the type table
/// @param timestamps see the type table
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

    /// The same columns of other rows.
    public Pull of(Scope other) {
        return new Pull(table, columns, key, other, pageRows, numeric, timestamps);
    }
}
