package dev.perigee.source;

import java.util.List;
import java.util.Optional;

/// A table, view or materialized view of a source.
///
/// @param columns in the catalog's order
/// @param key the primary key's columns in key order, else those of a unique index without NULLs; empty where there is
///     neither
/// @param keyOrigin for people: `primary key`, `unique index "orders_code_key"`, `configured`, or `none`
/// @param estimatedRows the source's estimate, -1 where it has none
/// @param estimatedBytes size at the source, -1 where unknown
public record SourceTable(
        TableId id,
        Kind kind,
        List<SourceColumn> columns,
        List<String> key,
        String keyOrigin,
        List<SourceIndex> indexes,
        long estimatedRows,
        long estimatedBytes) {

    public enum Kind {
        TABLE,
        PARTITIONED_TABLE,
        VIEW,
        MATERIALIZED_VIEW,
        FOREIGN_TABLE
    }

    public SourceTable {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
        indexes = List.copyOf(indexes);
    }

    public Optional<SourceColumn> column(String name) {
        return columns.stream().filter(c -> c.name().equals(name)).findFirst();
    }
}
