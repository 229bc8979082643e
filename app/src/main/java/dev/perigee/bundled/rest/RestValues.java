package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.Value;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// What is written in a request as values to bind: members of a JSON body, and text of the address.
///
/// Text is enough where the column has an affinity or a type: the database makes of it what the column holds, whole
/// numbers of 64 bits exactly.
final class RestValues {
    private static final Pattern WHOLE = Pattern.compile("-?(0|[1-9][0-9]{0,18})");
    private static final Pattern FRACTION = Pattern.compile("-?(0|[1-9][0-9]{0,18})\\.[0-9]{1,20}");

    private RestValues() {}

    /// A member of a body.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] for a number that does not fit, or bytes not in base64
    static Value of(RestTable table, Column column, JsonNode json) {
        if (json.isNull()) return Value.Null.NULL;
        boolean isFraction = json.isNumber() && !json.isIntegralNumber();
        double fraction = isFraction ? json.decimalValue().doubleValue() : 0;
        if (Double.isInfinite(fraction)) throw outOfRange(column);
        if (table.isExternal()) return new Value.Text(ExternalText.of(column, json));
        if (json.isBoolean()) return new Value.Int(json.booleanValue() ? 1 : 0);
        if (json.isIntegralNumber()) {
            if (!json.canConvertToLong()) throw outOfRange(column);
            return new Value.Int(json.longValue());
        }
        if (isFraction) return new Value.Real(fraction);
        String text = json.isString() ? json.stringValue() : json.toString();
        if (!column.isBlob()) return new Value.Text(text);
        return bytes(text)
                .orElseThrow(() -> Fault.INVALID_REQUEST.saying(
                        "The column \"%s\" holds bytes: send them in base64.".formatted(column.name())));
    }

    /// The one value that `text` means, to order by or to find one row.
    static Value one(RestTable table, Column column, String text) {
        return any(table, column, text).getFirst();
    }

    /// The values that equal `text`: where nothing tells 5 from '5', both.
    static List<Value> any(RestTable table, Column column, String text) {
        Value asText = new Value.Text(text);
        if (table.isExternal()) return List.of(new Value.Text(ExternalText.of(column, text)));
        if (column.isBoolean() && text.equalsIgnoreCase("true")) return List.of(new Value.Int(1));
        if (column.isBoolean() && text.equalsIgnoreCase("false")) return List.of(new Value.Int(0));
        Optional<Value> other = column.isBlob() ? bytes(text) : column.isUntyped() ? number(text) : Optional.empty();
        return other.isPresent() ? List.of(other.get(), asText) : List.of(asText);
    }

    private static Optional<Value> number(String text) {
        if (FRACTION.matcher(text).matches()) return Optional.of(new Value.Real(Double.parseDouble(text)));
        if (!WHOLE.matcher(text).matches()) return Optional.empty();
        try {
            return Optional.of(new Value.Int(Long.parseLong(text)));
        } catch (NumberFormatException _) {
            return Optional.empty(); // Past 64 bits no whole number is stored.
        }
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
                "The number for the column \"%s\" is out of range.".formatted(column.name()));
    }
}
