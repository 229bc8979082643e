package dev.perigee.source;

import java.util.List;
import java.util.Optional;

/// An expression on the columns of one row, whose value changes only when the row is written. [Source#selected] makes
/// it, and has checked it.
///
/// @param text the expression, in the source's SQL
/// @param columns the columns that it uses
/// @param schemas where the source looks up the names in it, after its own catalog, in this order
/// @param type the type of its value
public record Expression(String text, List<Used> columns, List<String> schemas, Type type) {
    /// A type.
    ///
    /// @param name its name in the source's catalog: `int4`
    /// @param written as the source writes it: `integer`
    public record Type(String name, String written) {}

    /// A column, as it was when the expression was checked.
    ///
    /// @param identity see [SourceColumn#identity]
    /// @param type see [SourceColumn#sourceType]
    public record Used(String name, int identity, String type) {}

    public Expression {
        columns = List.copyOf(columns);
        schemas = List.copyOf(schemas);
    }

    /// Whether it still means the same: each column that it uses has its name and its type.
    public boolean fits(SourceTable table) {
        return columns.stream().allMatch(used -> table.used(used.name()).equals(Optional.of(used)));
    }
}
