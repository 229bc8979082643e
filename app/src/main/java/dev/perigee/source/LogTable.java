package dev.perigee.source;

import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import java.util.List;

/// What a copy wants of a table's changes.
///
/// @param table its name when the copy was last synced
/// @param number the table's number (PostgreSQL: OID), by which the log names it; 0 where it is not known yet
/// @param columns the copied columns, in the order of a batch's cells
/// @param key the columns that identify a row, all of them copied; never empty
public record LogTable(
        TableId table,
        long number,
        List<Column> columns,
        List<String> key,
        NumericStorage numeric,
        TimestampStorage timestamps) {
    /// @param identity as [SourceColumn#identity]
    /// @param sourceType as [SourceColumn#sourceType]
    public record Column(String name, int identity, String sourceType) {}

    public LogTable {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }

    public List<String> columnNames() {
        return columns.stream().map(Column::name).toList();
    }
}
