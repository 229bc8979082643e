package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.SqlStatement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/// Builds the statements that write the rows of a body. Each returns the rows it wrote.
final class RestWrite {
    /// Maximum number of rows that one POST creates.
    private static final int MAX_ROWS = 1000;

    /// Maximum number of values that PostgreSQL takes in one statement.
    private static final int MAX_VALUES = 65_535;

    private final RestTable table;

    RestWrite(RestTable table) {
        this.table = table;
    }

    /// Creates the row of an object, or all rows of an array, all or none.
    List<SqlStatement> insert(JsonNode body) {
        if (!body.isArray()) return inserts(List.of(values(body)));
        if (body.isEmpty()) throw noData();
        if (body.size() > MAX_ROWS) {
            throw Fault.TOO_LARGE.saying("A POST creates at most %d rows; /import takes more.".formatted(MAX_ROWS));
        }
        List<Map<String, Value>> rows = new ArrayList<>();
        for (JsonNode row : body) rows.add(values(row));
        return inserts(rows);
    }

    /// Changes one row.
    ///
    /// @param isWhole whether columns that the body leaves out get their defaults
    SqlStatement update(Optional<String> id, Map<String, List<String>> parameters, JsonNode body, boolean isWhole) {
        RestKey key = RestKey.of(table, id, parameters, Optional.of(body));
        Map<String, Value> given = values(body);
        for (Map.Entry<String, JsonNode> member : body.properties()) {
            Column column = table.column(member.getKey());
            key.checkSame(column, member.getValue());
        }
        given.keySet().removeAll(key.values().keySet());
        List<Value> values = new ArrayList<>();
        List<String> assignments = new ArrayList<>();
        for (Column column : table.columns()) {
            String name = SqlNames.quoted(column.name());
            Value value = given.get(column.name());
            if (value != null) {
                assignments.add("%s = %s".formatted(name, table.placeholder(column)));
                values.add(value);
            } else if (isWhole && !column.isGenerated() && !key.values().containsKey(column.name())) {
                assignments.add("%s = %s".formatted(name, column.defaultSql()));
            }
        }
        if (assignments.isEmpty()) {
            if (!isWhole) throw Fault.INVALID_REQUEST.saying("No updatable data provided");
            String name = SqlNames.quoted(table.key().getFirst());
            assignments.add("%s = %s".formatted(name, name)); // All columns belong to the key: nothing changes.
        }
        String where = key.where(values);
        return new SqlStatement(
                "UPDATE %s SET %s%s RETURNING *".formatted(table.from(), String.join(", ", assignments), where),
                values,
                Map.of());
    }

    SqlStatement delete(Optional<String> id, Map<String, List<String>> parameters) {
        List<Value> values = new ArrayList<>();
        String where = RestKey.of(table, id, parameters, Optional.empty()).where(values);
        return new SqlStatement("DELETE FROM %s%s RETURNING 1".formatted(table.from(), where), values, Map.of());
    }

    /// The external database takes all rows in one statement, with DEFAULT for the values that a row leaves out. SQLite
    /// has no DEFAULT in VALUES, so there each row is a statement; they run in one transaction.
    private List<SqlStatement> inserts(List<Map<String, Value>> rows) {
        if (table.isExternal()) {
            Set<String> columns = new LinkedHashSet<>();
            rows.forEach(row -> columns.addAll(row.keySet()));
            return List.of(insert(columns, rows));
        }
        return rows.stream().map(row -> insert(row.keySet(), List.of(row))).toList();
    }

    private SqlStatement insert(Set<String> columns, List<Map<String, Value>> rows) {
        List<Value> values = new ArrayList<>();
        List<String> tuples = new ArrayList<>();
        for (Map<String, Value> row : rows) {
            List<String> items = new ArrayList<>();
            for (String name : columns) {
                Value value = row.get(name);
                items.add(value == null ? "DEFAULT" : table.placeholder(table.column(name)));
                if (value != null) values.add(value);
            }
            tuples.add("(" + String.join(", ", items) + ")");
        }
        if (values.size() > MAX_VALUES) {
            throw Fault.TOO_LARGE.saying("A POST has at most %d values.".formatted(MAX_VALUES));
        }
        String names = columns.stream().map(SqlNames::quoted).collect(Collectors.joining(", "));
        String sql =
                "INSERT INTO %s (%s) VALUES %s RETURNING *".formatted(table.from(), names, String.join(", ", tuples));
        return new SqlStatement(sql, values, Map.of());
    }

    /// The members of an object, by column name as the catalog spells it.
    private Map<String, Value> values(JsonNode body) {
        if (!body.isObject()) throw Fault.INVALID_REQUEST.saying("Invalid data format");
        if (body.isEmpty()) throw noData();
        Map<String, Value> values = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> member : body.properties()) {
            Column column = table.column(member.getKey());
            if (column.isGenerated()) {
                throw Fault.INVALID_REQUEST.saying(
                        "The column \"%s\" is computed and cannot be written.".formatted(column.name()));
            }
            if (values.put(column.name(), RestValues.of(table, column, member.getValue())) != null) {
                throw Fault.INVALID_REQUEST.saying("The column \"%s\" is given twice.".formatted(column.name()));
            }
        }
        return values;
    }

    private static RuntimeException noData() {
        return Fault.INVALID_REQUEST.saying("No data provided");
    }
}
