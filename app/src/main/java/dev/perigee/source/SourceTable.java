package dev.perigee.source;

import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A table, view, materialized view or foreign table of a source.
///
/// @param columns in the catalog's order
/// @param key the primary key's columns in key order, else those of a unique index without NULLs; empty where there is
///     neither
/// @param keyOrigin for people: `primary key`, `unique index "orders_code_key"`, `configured`, `none`, or [#INHERITED]
/// @param estimatedRows the source's estimate, -1 where it has none
/// @param estimatedBytes size at the source, -1 where unknown
/// @param parts by a column's identity: names inside its type that the texts of its values depend on (PostgreSQL:
///     labels of enums, attributes of composites, objects that a `regclass` names), by what they name. Under
///     [#ALL_ROWS]: what computes the rows of a view. When one of these changes, rows read differently although nobody
///     wrote them
/// @param unreadable by a column's identity: the names of columns that the source's user may not read
/// @param isFiltered whether the table is read even if the source hides rows of it from the user; if not, reading it
///     then is a fault
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

    /// `keyOrigin` of a table whose own keys do not cover all its rows, because other tables inherit from it.
    public static final String INHERITED = "none, since other tables inherit from it";

    /// A key in `parts` that is not a column's identity: it stands for all columns together.
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

    /// A table whose types contain no names and whose columns may all be read.
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

    /// The same table, to be read as the `rowSecurity` setting says.
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

    /// Why the table has no key: a clause that calls the table `it`.
    public String whyNoKey() {
        return keyOrigin.equals(INHERITED)
                ? "other tables inherit from it, and its keys do not cover their rows"
                : "it has neither a primary key nor a unique index without NULLs";
    }

    /// Whether the source itself refuses two rows that have the same values, none of them NULL, in all of these
    /// columns.
    public boolean isUnique(List<String> names) {
        if (keyOrigin.equals(INHERITED)) return false;
        boolean isKey = !key.isEmpty() && names.containsAll(key);
        return isKey || indexes.stream().anyMatch(index -> index.isUnique() && names.containsAll(index.columns()));
    }

    /// The fault for a column that exists but that the source's user may not read.
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
