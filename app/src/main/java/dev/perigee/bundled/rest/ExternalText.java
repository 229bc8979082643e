package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.ValueType;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Converts values of a request to the text that the external database parses for the column's type. An array is given
/// as JSON, or as a string that contains that JSON, because answers show it so.
final class ExternalText {
    private static final Pattern DIMENSIONS = Pattern.compile("(\\[-?[0-9]{1,10}:-?[0-9]{1,10}\\])+");

    /// A date as ISO 8601 and our answers write it, with a year that PostgreSQL writes differently: signed, or 0000.
    private static final Pattern ISO_YEAR = Pattern.compile("([+-][0-9]{4,6}|0000)(-[0-9]{2}-[0-9]{2}.*)");

    private final Column column;
    private final ValueType type;

    private ExternalText(Column column) {
        this.column = column;
        this.type = column.external().orElseThrow();
    }

    /// The text for a member of a JSON body.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] for bytes in an array that are not in base64
    static String of(Column column, JsonNode json) {
        if (json.isString()) return of(column, json.stringValue());
        return column.isArray() ? new ExternalText(column).array(json).orElseGet(json::toString) : json.toString();
    }

    /// The text for a value in the address, or for a JSON string in a body.
    static String of(Column column, String text) {
        ExternalText external = new ExternalText(column);
        boolean isDate = external.type.content() == ValueType.Content.DATE;
        if (!column.isArray()) return isDate ? date(text) : text;
        if (text.isEmpty() || "[{".indexOf(text.charAt(0)) < 0) return text;
        try {
            return external.array(BodyJson.read(text)).orElse(text);
        } catch (JacksonException _) {
            return text; // the database's own form: {1,2} or [0:1]={1,2}
        }
    }

    /// @return empty if `json` is neither an array nor `{"dims": "[0:1]", "values": […]}`
    private Optional<String> array(JsonNode json) {
        if (json.isArray()) return Optional.of(items(json));
        JsonNode bounds = json.path("dims");
        boolean hasBounds =
                bounds.isString() && DIMENSIONS.matcher(bounds.stringValue()).matches();
        if (!hasBounds || !json.path("values").isArray()) return Optional.empty();
        return Optional.of(bounds.stringValue() + "=" + items(json.path("values")));
    }

    private String items(JsonNode array) {
        List<String> items = new ArrayList<>();
        for (JsonNode item : array) items.add(item.isNull() ? "NULL" : item.isArray() ? items(item) : quoted(item));
        return "{" + String.join(type.delimiter().orElse(',').toString(), items) + "}";
    }

    private String quoted(JsonNode item) {
        String text = switch (type.content()) {
            case BYTES -> bytes(item);
            case JSON -> json(item).toString();
            case DATE -> date(item.isString() ? item.stringValue() : item.toString());
            case OTHER -> item.isString() ? item.stringValue() : item.toString();
        };
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /// An element of an array of JSON. `null` is SQL NULL there, so JSON null is written `{"json": null}`; an array
    /// that is one element is written `{"json": [1]}`.
    private static JsonNode json(JsonNode item) {
        return item.isObject() && item.size() == 1 && item.has("json") ? item.get("json") : item;
    }

    /// PostgreSQL writes years before 1 as BC, and years after 9999 without a sign.
    private static String date(String text) {
        Matcher iso = ISO_YEAR.matcher(text);
        if (!iso.matches()) return text;
        int year = Integer.parseInt(iso.group(1));
        return year > 0 ? year + iso.group(2) : "%04d%s BC".formatted(1 - year, iso.group(2));
    }

    private String bytes(JsonNode item) {
        try {
            if (item.isString())
                return "\\x" + HexFormat.of().formatHex(Base64.getDecoder().decode(item.stringValue()));
        } catch (IllegalArgumentException _) {
            // reported below
        }
        throw Fault.INVALID_REQUEST.saying(
                "The column \"%s\" holds arrays of bytes: send each element in base64.".formatted(column.name()));
    }
}
