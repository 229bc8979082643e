package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Members of a JSON body as values to bind.
final class RestValues {
    private RestValues() {}

    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] for a number that does not fit
    static Value of(RestTable table, Column column, JsonNode json) {
        if (json.isNull()) return Value.Null.NULL;
        if (table.isExternal()) return new Value.Text(external(column, json));
        if (json.isBoolean()) return new Value.Int(json.booleanValue() ? 1 : 0);
        if (json.isIntegralNumber()) {
            if (!json.canConvertToLong()) throw outOfRange(column);
            return new Value.Int(json.longValue());
        }
        if (json.isNumber()) {
            double number = json.doubleValue();
            if (Double.isInfinite(number)) throw outOfRange(column);
            return new Value.Real(number);
        }
        return new Value.Text(json.isString() ? json.stringValue() : json.toString());
    }

    /// The external database's own text form; its column's type reads it.
    private static String external(Column column, JsonNode json) {
        if (json.isArray() && column.type().endsWith("[]")) {
            List<String> items = new ArrayList<>();
            for (JsonNode item : json)
                items.add(item.isNull() ? "NULL" : item.isArray() ? external(column, item) : quoted(item));
            return "{" + String.join(",", items) + "}";
        }
        return json.isString() ? json.stringValue() : json.toString();
    }

    private static String quoted(JsonNode item) {
        String text = item.isString() ? item.stringValue() : item.toString();
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static RuntimeException outOfRange(Column column) {
        return Fault.INVALID_REQUEST.saying(
                "The number for the column \"%s\" is out of range.".formatted(column.name()));
    }
}
