package dev.perigee.source;

import java.util.List;
import java.util.Optional;

/// The rows of a table for which a condition is true. A row for which it is NULL is not among them. [Source#slice]
/// makes it, and has checked the condition.
///
/// @param where the condition, in the source's SQL
/// @param columns the columns that it uses
/// @param schemas where the source looks up the names in it, after its own catalog, in this order
public record Slice(String where, List<Used> columns, List<String> schemas) {
    /// A column, as it was when the condition was checked.
    ///
    /// @param identity see [SourceColumn#identity]
    /// @param type see [SourceColumn#sourceType]
    public record Used(String name, int identity, String type) {
        private boolean is(SourceColumn column) {
            return column.name().equals(name)
                    && column.identity() == identity
                    && column.sourceType().equals(type);
        }
    }

    public Slice {
        columns = List.copyOf(columns);
        schemas = List.copyOf(schemas);
    }

    /// Whether the condition still means the same: each column that it uses has its name and its type.
    public boolean fits(SourceTable table) {
        return columns.stream().allMatch(used -> table.columns().stream().anyMatch(used::is));
    }

    /// The first column that has another name now, or is gone.
    public Optional<Used> moved(SourceTable table) {
        return columns.stream()
                .filter(used -> table.column(used.name())
                        .filter(column -> column.identity() == used.identity())
                        .isEmpty())
                .findFirst();
    }
}
