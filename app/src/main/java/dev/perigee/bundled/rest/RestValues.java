package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.Affinity;
import dev.perigee.sqlite.Value;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Converts what a request gives, members of a JSON body and text of the address, to values to bind.
///
/// For the replica they become what the column stores, because SQLite would round some of them. The external database
/// gets text and converts it itself.
final class RestValues {
    private RestValues() {}

    /// The value for a member of a body.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] for a number whose digits the column would not all keep, or
    ///     bytes that are not in base64
    static Value of(RestTable table, Column column, JsonNode json) {
        if (json.isNull()) return Value.Null.NULL;
        boolean isNumber = BodyJson.isNumber(json);
        if (table.isExternal()) {
            boolean isInfinite = isNumber && Double.isInfinite(Double.parseDouble(json.toString()));
            if (isInfinite) throw outOfRange(column);
            return new Value.Text(ExternalText.of(column, json));
        }
        Affinity affinity = Affinity.of(column.type());
        if (json.isBoolean()) return new Value.Int(json.booleanValue() ? 1 : 0);
        if (isNumber) return affinity.ofNumber(json.toString()).orElseThrow(() -> outOfRange(column));
        String text = json.isString() ? json.stringValue() : json.toString();
        if (!column.isBlob()) return affinity.ofText(text).orElseThrow(() -> outOfRange(column));
        return bytes(text)
                .orElseThrow(() -> Fault.INVALID_REQUEST.saying(
                        "The column \"%s\" holds bytes: send them in base64.".formatted(column.name())));
    }

    /// The value that `text` stands for, to compare by order or to find one row.
    static Value one(RestTable table, Column column, String text) {
        return any(table, column, text).getFirst();
    }

    /// The values that `text` may stand for: where the column's type does not tell 5 from '5', both.
    static List<Value> any(RestTable table, Column column, String text) {
        Value asText = new Value.Text(text);
        if (table.isExternal()) return List.of(new Value.Text(ExternalText.of(column, text)));
        if (column.isBoolean() && text.equalsIgnoreCase("true")) return List.of(new Value.Int(1));
        if (column.isBoolean() && text.equalsIgnoreCase("false")) return List.of(new Value.Int(0));
        if (column.isBlob())
            return bytes(text).map(bytes -> List.of(bytes, asText)).orElse(List.of(asText));
        if (column.isUntyped()) {
            // A number that SQLite cannot hold as a number is stored as text.
            if (Affinity.isNumber(text)) return List.of(Affinity.nearest(text), asText);
            Value infinity = Affinity.REAL.ofText(text).orElse(asText);
            return infinity.equals(asText) ? List.of(asText) : List.of(infinity, asText);
        }
        Affinity affinity = Affinity.of(column.type());
        if (affinity == Affinity.TEXT) return List.of(asText);
        return List.of(
                Affinity.isNumber(text)
                        ? Affinity.nearest(text)
                        : affinity.ofText(text).orElse(asText));
    }

    private static Optional<Value> bytes(String base64) {
        try {
            return Optional.of(
                    new Value.Blob(ByteBuffer.wrap(Base64.getDecoder().decode(base64))));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    private static PerigeeException outOfRange(Column column) {
        return Fault.INVALID_REQUEST.saying(
                "The number for the column \"%s\" is out of range: the column would not keep all of its digits."
                        .formatted(column.name()));
    }
}
