package dev.perigee.bundled.rest;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.StatementCall.Where;
import java.util.List;
import java.util.Optional;

/// A table as the catalog has it now.
///
/// @param where the replica or the external database
/// @param from schema and name, quoted
/// @param name for people
/// @param key the columns that identify a row, in key order; empty for views and tables without a key
record RestTable(Where where, String from, String name, List<Column> columns, List<String> key) {
    /// @param type declared, or the external database's own without modifiers; empty for none
    /// @param defaultSql its DEFAULT as SQL text of the schema, `NULL` where it has none
    /// @param isGenerated it is computed, and not written
    record Column(String name, String type, String defaultSql, boolean isGenerated) {}

    RestTable {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }

    boolean isExternal() {
        return where == Where.EXTERNAL;
    }

    /// A column by name; ASCII letters count without regard to case on the replica, as in SQLite.
    Optional<Column> find(String column) {
        return columns.stream()
                .filter(c -> isExternal() ? c.name().equals(column) : c.name().equalsIgnoreCase(column))
                .findFirst();
    }

    Column column(String column) {
        return find(column).orElseThrow(() -> noColumn(column));
    }

    PerigeeException noColumn(String column) {
        return Fault.INVALID_REQUEST.saying("The table \"%s\" has no column \"%s\"; it has %s."
                .formatted(
                        name,
                        column,
                        String.join(", ", columns.stream().map(Column::name).toList())));
    }

    static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /// A placeholder for a value of the column, which is bound as text where the database is the external one.
    String placeholder(Column column) {
        return isExternal() ? "CAST(CAST(? AS text) AS %s)".formatted(column.type()) : "?";
    }
}
