package dev.perigee.bundled.rest;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.StatementCall.Where;
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

    /// @param type declared, or the external database's own without modifiers; empty for none
    /// @param defaultSql its DEFAULT as SQL text of the schema, `NULL` where it has none
    /// @param isGenerated it is computed, and not written
    record Column(String name, String type, String defaultSql, boolean isGenerated) {
        boolean isArray() {
            return type.endsWith("[]");
        }

        /// Its values travel in base64.
        boolean isBlob() {
            return type.equals("bytea") || type.toUpperCase(Locale.ROOT).contains("BLOB");
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
        String folded = folded(column);
        for (Column known : columns) if (folded(known.name()).equals(folded)) return Optional.of(known);
        for (String part : key) {
            boolean isRowid = columns.stream().noneMatch(c -> c.name().equals(part));
            if (isRowid && folded(part).equals(folded)) return Optional.of(new Column(part, "INTEGER", "NULL", true));
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

    static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /// The column in a condition or an order, where an answer's column of the same name is not meant.
    String operand(Column column) {
        return isExternal() ? from + "." + quoted(column.name()) : quoted(column.name());
    }

    /// The column as it is read: an array of the external database as JSON.
    String read(Column column) {
        String name = quoted(column.name());
        if (isExternal() && column.isArray()) return "to_json(%s) AS %s".formatted(name, name);
        // SQLite calls it rowid in the answer, by whichever of its names it was asked for.
        return columns.contains(column) ? name : "%s AS %s".formatted(name, name);
    }

    /// All columns as they are read.
    String readAll() {
        boolean needsNames = isExternal() && columns.stream().anyMatch(Column::isArray);
        return needsNames ? columns.stream().map(this::read).collect(Collectors.joining(", ")) : "*";
    }

    /// A placeholder for a value of the column, which is bound as text where the database is the external one.
    String placeholder(Column column) {
        if (!isExternal()) return "?";
        if (column.isBlob()) return "decode(CAST(? AS text), 'base64')";
        return "CAST(CAST(? AS text) AS %s)".formatted(column.type());
    }

    /// ASCII letters only: to SQLite `É` and `é` are two names.
    private static String folded(String name) {
        StringBuilder folded = new StringBuilder(name);
        for (int i = 0; i < folded.length(); i++) {
            char c = folded.charAt(i);
            if (c >= 'A' && c <= 'Z') folded.setCharAt(i, (char) (c + 32));
        }
        return folded.toString();
    }
}
