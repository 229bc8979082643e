package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.Query.Statement;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// The statements that a request on one table means.
final class RestStatements {
    /// Parameters that are no condition, where the table has no column of that name.
    private static final Set<String> WORDS = Set.of("sort_by", "order", "limit", "offset", "select", "count");

    /// Rows of one POST.
    private static final int MAX_ROWS = 1000;

    /// @param isArray whether the body was one, and the answer is
    record Insert(List<Statement> statements, boolean isArray) {}

    private final RestTable table;

    RestStatements(RestTable table) {
        this.table = table;
    }

    Statement select(Map<String, List<String>> parameters) {
        RestFilter filter = new RestFilter(table);
        Map<String, String> words = new LinkedHashMap<>();
        parameters.forEach((name, given) -> {
            if (WORDS.contains(name) && table.find(name).isEmpty()) words.put(name, given.getLast());
            else for (String value : given) filter.add(name, value);
        });
        if (isTrue(words.getOrDefault("count", "false"), "count")) {
            return new Statement(
                    "SELECT count(*) AS \"count\" FROM " + table.from() + filter.where(), filter.values(), Map.of());
        }
        List<Value> values = new ArrayList<>(filter.values());
        StringBuilder sql = new StringBuilder("SELECT ")
                .append(columns(words))
                .append(" FROM ")
                .append(table.from())
                .append(filter.where())
                .append(orderBy(words));
        page(words, sql, values);
        return new Statement(sql.toString(), values, Map.of());
    }

    Statement selectOne(String id, Map<String, List<String>> parameters) {
        Map<String, String> words = new LinkedHashMap<>();
        parameters.forEach((name, given) -> {
            if (!name.equals("select")) {
                throw Fault.INVALID_REQUEST.saying("A row by its id takes no parameter \"%s\".".formatted(name));
            }
            words.put(name, given.getLast());
        });
        List<Value> values = new ArrayList<>();
        String where = whereKey(keyOf(Optional.of(id), Map.of()), values);
        return new Statement("SELECT %s FROM %s%s".formatted(columns(words), table.from(), where), values, Map.of());
    }

    Insert insert(JsonNode body) {
        if (body.isObject()) return new Insert(List.of(insertOne(body)), false);
        if (!body.isArray() || body.isEmpty()) {
            throw Fault.INVALID_REQUEST.saying("The body must be a JSON object, or an array of them.");
        }
        if (body.size() > MAX_ROWS) {
            throw Fault.TOO_LARGE.saying("A POST creates at most %d rows; /import takes more.".formatted(MAX_ROWS));
        }
        List<Statement> statements = new ArrayList<>();
        for (JsonNode row : body) {
            if (!row.isObject()) throw Fault.INVALID_REQUEST.saying("The array must have JSON objects only.");
            statements.add(insertOne(row));
        }
        return new Insert(statements, true);
    }

    /// @param isWhole whether columns that the body leaves out get their defaults
    Statement update(Optional<String> id, Map<String, List<String>> parameters, JsonNode body, boolean isWhole) {
        Map<String, Value> given = values(body);
        if (given.isEmpty()) throw Fault.INVALID_REQUEST.saying("The body has no columns to write.");
        Map<String, String> key = keyOf(id, parameters);
        List<Value> values = new ArrayList<>();
        List<String> assignments = new ArrayList<>();
        for (Column column : table.columns()) {
            Value value = given.get(column.name());
            if (value != null) {
                assignments.add("%s = %s".formatted(RestTable.quoted(column.name()), table.placeholder(column)));
                values.add(value);
            } else if (isWhole && !column.isGenerated() && !key.containsKey(column.name())) {
                assignments.add("%s = %s".formatted(RestTable.quoted(column.name()), column.defaultSql()));
            }
        }
        String where = whereKey(key, values);
        return new Statement(
                "UPDATE %s SET %s%s RETURNING *".formatted(table.from(), String.join(", ", assignments), where),
                values,
                Map.of());
    }

    Statement delete(Optional<String> id, Map<String, List<String>> parameters) {
        List<Value> values = new ArrayList<>();
        String where = whereKey(keyOf(id, parameters), values);
        return new Statement("DELETE FROM %s%s RETURNING 1".formatted(table.from(), where), values, Map.of());
    }

    private Statement insertOne(JsonNode row) {
        Map<String, Value> given = values(row);
        if (given.isEmpty()) {
            return new Statement(
                    "INSERT INTO %s DEFAULT VALUES RETURNING *".formatted(table.from()), List.of(), Map.of());
        }
        List<String> placeholders = given.keySet().stream()
                .map(name -> table.placeholder(table.column(name)))
                .toList();
        return new Statement(
                "INSERT INTO %s (%s) VALUES (%s) RETURNING *"
                        .formatted(
                                table.from(),
                                String.join(
                                        ", ",
                                        given.keySet().stream()
                                                .map(RestTable::quoted)
                                                .toList()),
                                String.join(", ", placeholders)),
                new ArrayList<>(given.values()),
                Map.of());
    }

    /// Members of the body by the catalog's spelling of their columns.
    private Map<String, Value> values(JsonNode body) {
        if (!body.isObject()) throw Fault.INVALID_REQUEST.saying("The body must be a JSON object.");
        Map<String, Value> values = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> member : body.properties()) {
            Column column = table.column(member.getKey());
            if (column.isGenerated()) {
                throw Fault.INVALID_REQUEST.saying(
                        "The column \"%s\" is computed and cannot be written.".formatted(column.name()));
            }
            values.put(column.name(), RestValues.of(table, column, member.getValue()));
        }
        return values;
    }

    /// The whole key, from the path (`1` or `1,north`, commas in a value as `%2C`) or from the query string.
    private Map<String, String> keyOf(Optional<String> id, Map<String, List<String>> parameters) {
        if (table.key().isEmpty()) {
            throw Fault.INVALID_REQUEST.saying(
                    "The table \"%s\" has no key that tells one row from the others.".formatted(table.name()));
        }
        Map<String, String> key = new LinkedHashMap<>();
        if (id.isPresent()) {
            String[] parts =
                    table.key().size() == 1 ? new String[] {id.get()} : id.get().split(",", -1);
            if (parts.length != table.key().size()) throw incompleteKey();
            for (int i = 0; i < parts.length; i++) key.put(table.key().get(i), parts[i]);
        }
        parameters.forEach((name, given) -> {
            String column = table.key().stream()
                    .filter(c -> table.isExternal() ? c.equals(name) : c.equalsIgnoreCase(name))
                    .findFirst()
                    .orElseThrow(() ->
                            Fault.INVALID_REQUEST.saying("One row is written by its key (%s); \"%s\" is no part of it."
                                    .formatted(String.join(", ", table.key()), name)));
            String value = given.getLast();
            String before = key.put(column, value);
            if (given.size() > 1 || before != null && !before.equals(value)) {
                throw Fault.INVALID_REQUEST.saying("The key's column \"%s\" is given twice.".formatted(column));
            }
        });
        if (key.size() != table.key().size()) throw incompleteKey();
        return key;
    }

    private RuntimeException incompleteKey() {
        return Fault.INVALID_REQUEST.saying(
                "A row of \"%s\" is named by all of its key: %s; as /rest/%s/%s, or as parameters of the query string."
                        .formatted(
                                table.name(),
                                String.join(", ", table.key()),
                                table.name(),
                                String.join(",", table.key())));
    }

    private String whereKey(Map<String, String> key, List<Value> values) {
        List<String> conditions = new ArrayList<>();
        key.forEach((name, value) -> {
            Column column = table.find(name).orElse(new Column(name, "INTEGER", "NULL", false)); // rowid
            conditions.add("%s = %s".formatted(RestTable.quoted(column.name()), table.placeholder(column)));
            values.add(new Value.Text(value));
        });
        return " WHERE " + String.join(" AND ", conditions);
    }

    private String columns(Map<String, String> words) {
        String select = words.get("select");
        if (select == null || select.equals("*")) return "*";
        List<String> columns = new ArrayList<>();
        for (String name : select.split(",", -1)) {
            columns.add(RestTable.quoted(table.column(name.strip()).name()));
        }
        return String.join(", ", columns);
    }

    private String orderBy(Map<String, String> words) {
        String sortBy = words.get("sort_by");
        String order = words.get("order");
        if (sortBy == null) {
            if (order != null)
                throw Fault.INVALID_REQUEST.saying("order says which way sort_by sorts: name columns there.");
            return "";
        }
        String[] columns = sortBy.split(",", -1);
        String[] directions = order == null ? new String[0] : order.split(",", -1);
        if (directions.length > columns.length) {
            throw Fault.INVALID_REQUEST.saying("order has more directions than sort_by has columns.");
        }
        List<String> terms = new ArrayList<>();
        for (int i = 0; i < columns.length; i++) {
            String direction = i < directions.length ? directions[i].strip().toUpperCase(Locale.ROOT) : "ASC";
            if (!direction.equals("ASC") && !direction.equals("DESC")) {
                throw Fault.INVALID_REQUEST.saying("order is asc or desc, not \"%s\".".formatted(directions[i]));
            }
            terms.add(RestTable.quoted(table.column(columns[i].strip()).name()) + " " + direction);
        }
        return " ORDER BY " + String.join(", ", terms);
    }

    private void page(Map<String, String> words, StringBuilder sql, List<Value> values) {
        String limit = words.get("limit");
        String offset = words.get("offset");
        if (limit != null) {
            sql.append(" LIMIT ?");
            values.add(number("limit", limit));
        } else if (offset != null && !table.isExternal()) {
            sql.append(" LIMIT -1");
        }
        if (offset != null) {
            sql.append(" OFFSET ?");
            values.add(number("offset", offset));
        }
    }

    private static Value number(String name, String text) {
        if (!text.matches("[0-9]{1,18}")) {
            throw Fault.INVALID_REQUEST.saying("%s is a whole number of 0 or more, not \"%s\".".formatted(name, text));
        }
        return new Value.Int(Long.parseLong(text));
    }

    private static boolean isTrue(String text, String name) {
        return switch (text) {
            case "true", "" -> true;
            case "false" -> false;
            default -> throw Fault.INVALID_REQUEST.saying("%s is true or false, not \"%s\".".formatted(name, text));
        };
    }
}
