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

/// A table or view as the catalog describes it now.
///
/// @param where the replica or the external database
/// @param from schema and name, quoted
/// @param name the name that messages show
/// @param key the columns that identify a row, in key order. A table without a primary key has the name of SQLite's
///     rowid here; views, and tables without any key, have nothing
record RestTable(Where where, String from, String name, List<Column> columns, List<String> key) {
    /// Maximum number of column names that a message lists.
    private static final int MAX_TOLD = 50;

    /// @param type as declared, or the external database's type; empty if none is declared
    /// @param defaultSql SQL for the column's default: on the replica an expression, `NULL` if the schema has none; for
    ///     the external database the keyword `DEFAULT`
    /// @param isGenerated whether the column cannot be written: it is a generated column, or the rowid
    /// @param external the type of its values in the external database; empty on the replica
    record Column(String name, String type, String defaultSql, boolean isGenerated, Optional<ValueType> external) {
        boolean isArray() {
            return external.filter(ValueType::isArray).isPresent();
        }

        /// Whether its values are sent and shown in base64.
        boolean isBlob() {
            return external.map(values -> values.content() == Content.BYTES && !values.isArray())
                    .orElseGet(() -> type.toUpperCase(Locale.ROOT).contains("BLOB"));
        }

        /// A cell as answers show it: an array of the external database as JSON.
        Value shown(Value cell) {
            if (!(cell instanceof Value.Text(String text)) || !isArray()) return cell;
            return external.flatMap(ValueType::structure)
                    .<Value>map(structure -> new Value.Text(structure.json(text)))
                    .orElse(cell);
        }

        boolean isBoolean() {
            return type.toUpperCase(Locale.ROOT).startsWith("BOOL");
        }

        /// Whether values are stored without conversion, so that 5 and '5' differ.
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

    /// Finds a column by its exact name. On the replica a name may also differ in the case of ASCII letters, as in
    /// SQLite. A rowid that serves as the key counts as a column that cannot be written.
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

    /// The column in a condition or in ORDER BY. For the external database it is qualified with the table, so that it
    /// never means a column of the answer with the same name.
    String operand(Column column) {
        return isExternal() ? from + "." + SqlNames.quoted(column.name()) : SqlNames.quoted(column.name());
    }

    /// The operator between the column and a value, qualified with the schema of the type's operators. Where that
    /// schema is not in the search path, PostgreSQL would take another type's operator (`text`'s for `citext`), or find
    /// none.
    String operator(Column column, String operator) {
        return column.external()
                .flatMap(ValueType::operators)
                .filter(schema -> !schema.equals("pg_catalog"))
                .map(schema -> "OPERATOR(%s.%s)".formatted(SqlNames.quoted(schema), operator))
                .orElse(operator);
    }

    /// The column in a SELECT list.
    String read(Column column) {
        String name = SqlNames.quoted(column.name());
        // A rowid: without AS, SQLite names it `rowid` in the answer, whichever of its names the statement uses.
        return columns.contains(column) ? name : "%s AS %s".formatted(name, name);
    }

    /// A placeholder for a value of the column. For the external database it casts from text, because values are bound
    /// as text there.
    String placeholder(Column column) {
        if (!isExternal()) return "?";
        if (column.isBlob()) return "pg_catalog.decode(CAST(? AS text), 'base64')";
        return "CAST(CAST(? AS text) AS %s)"
                .formatted(column.external().orElseThrow().castTo());
    }
}
