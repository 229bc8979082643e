package dev.perigee.source;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A table, view, materialized view or foreign table of a source.
///
/// @param columns in the catalog's order
/// @param parts by a column's identity: names inside its type that the texts of its values depend on (PostgreSQL:
///     labels of enums, attributes of composites, objects that a `regclass` names), by what they name. Under
///     [#ALL_ROWS]: what computes the rows of a view. When one of these changes, rows read differently although nobody
///     wrote them
public record SourceTable(
        TableId id,
        Kind kind,
        List<SourceColumn> columns,
        SourceKey key,
        List<SourceIndex> indexes,
        Estimate estimate,
        Map<Integer, Map<String, String>> parts,
        Access access) {

    /// A key in `parts` that is not a column's identity: it stands for all columns together.
    public static final int ALL_ROWS = 0;

    /// How large the source believes the table to be.
    ///
    /// @param rows the number of rows, -1 where it has no estimate
    /// @param bytes the size at the source, -1 where unknown
    public record Estimate(long rows, long bytes) {
        public static final Estimate UNKNOWN = new Estimate(-1, -1);
    }

    /// What the source's user may read of the table, and what is read of it.
    ///
    /// @param unreadable by a column's identity: the names of columns that the source's user may not read
    /// @param isFiltered whether the table is read even if the source hides rows of it from the user; if not, reading
    ///     it then is a fault
    /// @param slice the rows that are read: those for which it is true; empty for all
    /// @param masks by a column's name: what is read in place of its values
    /// @param isLeavingSent see [Pull#sendingLeaving]
    public record Access(
            Map<Integer, String> unreadable,
            boolean isFiltered,
            Optional<Expression> slice,
            Map<String, Mask> masks,
            boolean isLeavingSent) {
        /// All columns may be read, and all rows must be.
        public static final Access FULL = new Access(Map.of(), false);

        /// Access to all rows and values.
        public Access(Map<Integer, String> unreadable, boolean isFiltered) {
            this(unreadable, isFiltered, Optional.empty(), Map.of(), false);
        }

        public Access {
            unreadable = Map.copyOf(unreadable);
            masks = Map.copyOf(masks);
        }

        /// Whether the source computes expressions of the table's settings.
        public boolean hasExpressions() {
            return slice.isPresent() || !masks.isEmpty();
        }

        /// Whether there is a column of this name that the user may not read.
        public boolean isUnreadable(String column) {
            return unreadable.containsValue(column);
        }
    }

    public enum Kind {
        TABLE,
        PARTITIONED_TABLE,
        VIEW,
        MATERIALIZED_VIEW,
        FOREIGN_TABLE
    }

    public SourceTable {
        columns = List.copyOf(columns);
        indexes = List.copyOf(indexes);
        parts = Map.copyOf(parts);
    }

    /// The same table, to be read as the `rowSecurity` setting says.
    SourceTable readBy(RowSecurity choice) {
        return with(columns, new Access(access.unreadable(), choice == RowSecurity.FILTERED));
    }

    /// The same table, of which only the rows of `slice` are read, and other values in place of those of masked
    /// columns.
    ///
    /// @param asRead the columns, with the types of the values that are read
    public SourceTable selecting(Optional<Expression> slice, Map<String, Mask> masks, List<SourceColumn> asRead) {
        return with(asRead, new Access(access.unreadable(), access.isFiltered(), slice, masks, false));
    }

    /// Whether the rows and values that are read are those that the settings ask for.
    public boolean isSelectedBy(TableConfig.Reading reading) {
        Map<String, String> masks = new HashMap<>();
        access.masks().forEach((name, mask) -> masks.put(name, mask.expression().text()));
        return access.slice().map(Expression::text).equals(reading.where()) && masks.equals(reading.masks());
    }

    /// See [Pull#sendingLeaving].
    SourceTable sendingLeaving() {
        Access leaving = new Access(access.unreadable(), access.isFiltered(), access.slice(), access.masks(), true);
        return with(columns, leaving);
    }

    private SourceTable with(List<SourceColumn> asRead, Access chosen) {
        return new SourceTable(id, kind, asRead, key, indexes, estimate, parts, chosen);
    }

    /// The column of this name as the source has it, also if it is masked.
    public Optional<Expression.Used> used(String name) {
        return column(name)
                .map(column -> access.masks().containsKey(name)
                        ? access.masks().get(name).column()
                        : new Expression.Used(name, column.identity(), column.sourceType()));
    }

    /// The same table with another key.
    public SourceTable withKey(SourceKey other) {
        return new SourceTable(id, kind, columns, other, indexes, estimate, parts, access);
    }

    /// Whether the source itself refuses two rows that have the same values, none of them NULL, in all of these
    /// columns.
    public boolean isUnique(List<String> names) {
        if (key.equals(SourceKey.INHERITED)) return false;
        boolean isKey = !key.isMissing() && names.containsAll(key.columns());
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
