package dev.perigee.source;

import dev.perigee.config.TableConfig;
import java.util.List;
import java.util.Optional;

/// What to pull: rows of a table in the order `(cursor, key…)`, after a mark.
///
/// @param table as [Source#describe] gave it
/// @param columns the columns wanted, in the order of the batch's cells
/// @param cursorColumn its values order the rows
/// @param key columns that make the order total; not empty
/// @param after rows greater than it are wanted; empty for all
/// @param pass whether rows with a cursor are wanted, or those whose cursor is NULL (ordered by key alone)
/// @param pageRows rows in a batch at most
/// @param numeric see the type table
/// @param timestamps see the type table
public record Pull(
        SourceTable table,
        List<String> columns,
        String cursorColumn,
        List<String> key,
        Optional<HighWaterMark> after,
        Pass pass,
        int pageRows,
        TableConfig.NumericStorage numeric,
        TableConfig.TimestampStorage timestamps) {

    public enum Pass {
        WITH_CURSOR,
        NULL_CURSOR
    }

    public Pull {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }
}
