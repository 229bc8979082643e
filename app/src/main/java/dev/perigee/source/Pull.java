package dev.perigee.source;

import dev.perigee.config.TableConfig;
import java.util.List;

/// What to pull from a table. Rows outside the table's slice ([SourceTable.Access#slice]) are not pulled, unless they
/// are asked for by [#sendingLeaving].
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

    /// The same pull, in which rows of the scope that are outside the slice come too, because the copy may still have
    /// them. Of such a row only key and cursor are sent, and [dev.perigee.batch.Batch#isLeaving] tells it.
    public Pull sendingLeaving() {
        return new Pull(table.sendingLeaving(), columns, key, scope, pageRows, numeric, timestamps);
    }

    /// The same pull with another scope.
    public Pull of(Scope other) {
        return new Pull(table, columns, key, other, pageRows, numeric, timestamps);
    }
}
