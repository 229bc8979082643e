package dev.perigee.bundled.rest;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.ValueType;
import dev.perigee.source.ValueType.Content;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.StatementCall.Where;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// A table as the catalog has it now.
///
/// @param where the replica or the external database
/// @param from schema and name, quoted
/// @param name for people
/// @param key the columns that identify a row, in key order; the name of SQLite's rowid where a table has no primary
///     key; empty for views and tables without a key
record RestTable(Where where, String from, String name, List<Column> columns, List<String> key) {
    /// Names of columns in a message.
    private static final int MAX_TOLD = 50;

    /// @param type declared, or the external database's own; empty for none
    /// @param defaultSql its DEFAULT as SQL text of the schema, `NULL` where it has none
    /// @param isGenerated it is computed, and not written
    /// @param external what the external database's values are; empty on the replica
    record Column(String name, String type, String defaultSql, boolean isGenerated, Optional<ValueType> external) {
        boolean isArray() {
            return external.filter(ValueType::isArray).isPresent();
        }

        /// Its values travel in base64.
        boolean isBlob() {
            return external.map(values -> values.content() == Content.BYTES && !values.isArray())
                    .orElseGet(() -> type.toUpperCase(Locale.ROOT).contains("BLOB"));
        }

        /// A cell as it is shown: an array of the external database as JSON.
        Value shown(Value cell) {
            if (!(cell instanceof Value.Text(String text)) || !isArray()) return cell;
            return external.flatMap(ValueType::structure)
                    .<Value>map(structure -> new Value.Text(structure.json(text)))
                    .orElse(cell);
        }

        boolean isBoolean() {
            return type.toUpperCase(Locale.ROOT).startsWith("BOOL");
        }

        /// Values are stored as they come, so that 5 is not '5'.
        boolean isUntyped() {
            return type.isEmpty() || type.equalsIgnoreCase("ANY");
        }
    }

    RestTable {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }

    boolean isExternal() {
        return where == Where.EXTERNAL;
    }

    /// A column by name as it is spelled; else, on the replica, without regard to the case of ASCII letters, as in
    /// SQLite. A table's rowid that is its key counts as a column that cannot be written.
    Optional<Column> find(String column) {
        for (Column known : columns) if (known.name().equals(column)) return Optional.of(known);
        if (isExternal()) return Optional.empty();
        String folded = SqlNames.folded(column);
        for (Column known : columns) if (SqlNames.folded(known.name()).equals(folded)) return Optional.of(known);
        for (String part : key) {
            boolean isRowid = columns.stream().noneMatch(c -> c.name().equals(part));
            if (isRowid && SqlNames.folded(part).equals(folded))
                return Optional.of(new Column(part, "INTEGER", "NULL", true, Optional.empty()));
        }
        return Optional.empty();
    }

    Column column(String column) {
        return find(column).orElseThrow(() -> noColumn(column));
    }

    PerigeeException noColumn(String column) {
        String names = columns.stream().limit(MAX_TOLD).map(Column::name).collect(Collectors.joining(", "));
        return Fault.INVALID_REQUEST.saying("The table \"%s\" has no column \"%s\"; it has %s%s."
                .formatted(name, column, names, columns.size() > MAX_TOLD ? ", …" : ""));
    }

    /// The column in a condition or an order, where an answer's column of the same name is not meant.
    String operand(Column column) {
        return isExternal() ? from + "." + SqlNames.quoted(column.name()) : SqlNames.quoted(column.name());
    }

    /// The operator between the column and a value. Where its type's schema is not in the search path, the database
    /// would take the operator of another type: `text`'s for `citext`, or find none.
    String operator(Column column, String operator) {
        return column.external()
                .flatMap(ValueType::operators)
                .filter(schema -> !schema.equals("pg_catalog"))
                .map(schema -> "OPERATOR(%s.%s)".formatted(SqlNames.quoted(schema), operator))
                .orElse(operator);
    }

    /// The column as it is read.
    String read(Column column) {
        String name = SqlNames.quoted(column.name());
        // SQLite calls it rowid in the answer, by whichever of its names it was asked for.
        return columns.contains(column) ? name : "%s AS %s".formatted(name, name);
    }

    /// A placeholder for a value of the column, which is bound as text where the database is the external one.
    String placeholder(Column column) {
        if (!isExternal()) return "?";
        if (column.isBlob()) return "pg_catalog.decode(CAST(? AS text), 'base64')";
        return "CAST(CAST(? AS text) AS %s)"
                .formatted(column.external().orElseThrow().castTo());
    }
}
