package dev.perigee.source;

import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A table, view or materialized view of a source.
///
/// @param columns in the catalog's order
/// @param key the primary key's columns in key order, else those of a unique index without NULLs; empty where there is
///     neither
/// @param keyOrigin for people: `primary key`, `unique index "orders_code_key"`, `configured`, `none`, or [#INHERITED]
/// @param estimatedRows the source's estimate, -1 where it has none
/// @param estimatedBytes size at the source, -1 where unknown
/// @param parts by a column's identity: names inside its type on which the texts of its values depend (PostgreSQL:
///     labels of enums, attributes of composites, objects that a `regclass` names), by what they are names of; for
///     [#ALL_ROWS], what computes the rows of a view. Where one is changed, rows that nobody wrote read otherwise
/// @param unreadable names of the columns that the source's user may not read, by their identity
/// @param isFiltered whether it is read although the source may hide rows of it from the user; else reading it is a
///     fault then
public record SourceTable(
        TableId id,
        Kind kind,
        List<SourceColumn> columns,
        List<String> key,
        String keyOrigin,
        List<SourceIndex> indexes,
        long estimatedRows,
        long estimatedBytes,
        Map<Integer, Map<String, String>> parts,
        Map<Integer, String> unreadable,
        boolean isFiltered) {

    /// `keyOrigin` where the table's own keys say nothing about rows of the tables that inherit from it.
    public static final String INHERITED = "none, since other tables inherit from it";

    /// Among `parts`: no column's identity, but that of all of them together.
    public static final int ALL_ROWS = 0;

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
        parts = Map.copyOf(parts);
        unreadable = Map.copyOf(unreadable);
    }

    /// A table whose types have no names inside and whose columns may all be read.
    public SourceTable(
            TableId id,
            Kind kind,
            List<SourceColumn> columns,
            List<String> key,
            String keyOrigin,
            List<SourceIndex> indexes,
            long estimatedRows,
            long estimatedBytes) {
        this(id, kind, columns, key, keyOrigin, indexes, estimatedRows, estimatedBytes, Map.of(), Map.of(), false);
    }

    /// The same, to be read as its settings say.
    SourceTable readBy(RowSecurity choice) {
        return new SourceTable(
                id,
                kind,
                columns,
                key,
                keyOrigin,
                indexes,
                estimatedRows,
                estimatedBytes,
                parts,
                unreadable,
                choice == RowSecurity.FILTERED);
    }

    /// Why it has no key, as a sentence about `it`.
    public String whyNoKey() {
        return keyOrigin.equals(INHERITED)
                ? "other tables inherit from it, and its keys do not reach their rows"
                : "it has neither a primary key nor a unique index without NULLs";
    }

    /// Whether the source itself refuses two rows that agree in all of these columns, none of them NULL.
    public boolean isUnique(List<String> names) {
        if (keyOrigin.equals(INHERITED)) return false;
        boolean isKey = !key.isEmpty() && names.containsAll(key);
        return isKey || indexes.stream().anyMatch(index -> index.isUnique() && names.containsAll(index.columns()));
    }

    /// That one of its columns may not be read, which is not the same as a column that is missing.
    public PerigeeException unreadable(String where, String column) {
        return Fault.SOURCE_PERMISSION.in(
                where,
                "the source's user may not read the column \"%s\" of %s".formatted(column, id),
                "Nothing was changed",
                "GRANT SELECT (\"%s\") ON %s to that user, or leave the column out with `exclude`"
                        .formatted(column.replace("\"", "\"\""), id));
    }

    public Optional<SourceColumn> column(String name) {
        return columns.stream().filter(c -> c.name().equals(name)).findFirst();
    }
}
