package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.Value;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// The complete key of one row, as a request gives it. A part of a key is refused, because it could match other rows,
/// too.
///
/// @param values text by column, in key order
record RestKey(RestTable table, Map<String, String> values) {
    /// Reads the key from the path (`1`, or `1,north`) and the query string. The body counts only if neither has any
    /// part of it.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] if a part is missing or given twice
    static RestKey of(
            RestTable table, Optional<String> id, Map<String, List<String>> parameters, Optional<JsonNode> body) {
        if (table.key().isEmpty()) {
            throw Fault.INVALID_REQUEST.saying(
                    "The table \"%s\" has no key, so a single row cannot be addressed.".formatted(table.name()));
        }
        Map<String, String> found = new LinkedHashMap<>();
        id.ifPresent(text -> fromPath(table, text, found));
        parameters.forEach((name, given) -> fromQuery(table, name, given, found));
        if (found.isEmpty()) body.ifPresent(json -> fromBody(table, json, found));
        Map<String, String> inOrder = new LinkedHashMap<>();
        for (String column : table.key()) {
            String value = found.get(column);
            if (value == null) throw missing(table, column);
            inOrder.put(column, value);
        }
        return new RestKey(table, inOrder);
    }

    /// The `WHERE` clause, with a blank before it. Its values are added to `bound`.
    String where(List<Value> bound) {
        List<String> conditions = new ArrayList<>();
        values.forEach((name, text) -> {
            Column column = table.column(name);
            conditions.add("%s %s %s"
                    .formatted(table.operand(column), table.operator(column, "="), table.placeholder(column)));
            bound.add(RestValues.one(table, column, text));
        });
        return " WHERE " + String.join(" AND ", conditions);
    }

    /// @throws PerigeeException [Fault#INVALID_REQUEST] if the body gives the row another key
    void checkSame(Column column, JsonNode given) {
        String mine = values.get(column.name());
        if (mine == null || isSame(mine, text(given))) return;
        throw Fault.INVALID_REQUEST.saying(
                "The body and the address have different values for \"%s\": a row's key cannot be changed."
                        .formatted(column.name()));
    }

    private static void fromPath(RestTable table, String id, Map<String, String> found) {
        List<String> key = table.key();
        List<String> parts = key.size() == 1 ? List.of(id) : RestText.items(id);
        if (parts.size() > key.size()) {
            throw Fault.INVALID_REQUEST.saying("The key of \"%s\" has %d columns, but \"%s\" has %d values."
                    .formatted(table.name(), key.size(), id, parts.size()));
        }
        for (int i = 0; i < parts.size(); i++) found.put(key.get(i), parts.get(i));
    }

    private static void fromQuery(RestTable table, String name, List<String> given, Map<String, String> found) {
        String column = table.find(name)
                .map(Column::name)
                .filter(table.key()::contains)
                .orElseThrow(() ->
                        Fault.INVALID_REQUEST.saying("A row is addressed by its key (%s); \"%s\" is not part of it."
                                .formatted(String.join(", ", table.key()), name)));
        given.forEach(value -> RestFilter.requireValue(name, value));
        String before = found.put(column, given.getFirst());
        if (given.size() > 1 || before != null && !before.equals(given.getFirst())) {
            throw Fault.INVALID_REQUEST.saying("The key's column \"%s\" is given twice.".formatted(column));
        }
    }

    private static void fromBody(RestTable table, JsonNode body, Map<String, String> found) {
        if (!body.isObject()) return;
        for (Map.Entry<String, JsonNode> member : body.properties()) {
            Optional<Column> column = table.find(member.getKey());
            if (column.isEmpty() || !table.key().contains(column.get().name())) continue;
            if (!member.getValue().isNull()) found.put(column.get().name(), text(member.getValue()));
        }
    }

    private static String text(JsonNode json) {
        return json.isString() ? json.stringValue() : json.toString();
    }

    private static boolean isSame(String one, String other) {
        if (one.equals(other)) return true;
        try {
            return new BigDecimal(one).compareTo(new BigDecimal(other)) == 0;
        } catch (NumberFormatException _) {
            return false;
        }
    }

    private static PerigeeException missing(RestTable table, String column) {
        return Fault.INVALID_REQUEST.saying(
                "Missing primary key value for '%s': a row of \"%s\" is addressed by its whole key, %s, in the path with commas between the values, or in the query string."
                        .formatted(column, table.name(), String.join(", ", table.key())));
    }
}
