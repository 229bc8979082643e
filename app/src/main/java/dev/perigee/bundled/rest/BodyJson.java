package dev.perigee.bundled.rest;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.QueryBody;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.util.RawValue;

/// Reads JSON into a tree whose numbers stay as they were written, however many digits they have.
final class BodyJson {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private BodyJson() {}

    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST]
    static JsonNode read(byte[] json) {
        try (JsonParser parser = Json.MAPPER.createParser(json)) {
            parser.nextToken();
            return node(parser);
        } catch (JacksonException e) {
            throw QueryBody.notJson(e);
        }
    }

    /// @return a missing node if anything follows the JSON value
    /// @throws JacksonException if it is not JSON
    static JsonNode read(String json) {
        try (JsonParser parser = Json.MAPPER.createParser(json)) {
            parser.nextToken();
            JsonNode node = node(parser);
            boolean isAll = parser.nextToken() == null;
            return isAll ? node : NODES.missingNode();
        }
    }

    /// Whether the node is a number; `toString` has it as it was written.
    static boolean isNumber(JsonNode node) {
        return node.isPojo();
    }

    private static JsonNode node(JsonParser parser) {
        return switch (parser.currentToken()) {
            case null -> NODES.missingNode();
            case START_OBJECT -> {
                ObjectNode object = NODES.objectNode();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    object.set(name, node(parser));
                }
                yield object;
            }
            case START_ARRAY -> {
                ArrayNode array = NODES.arrayNode();
                while (parser.nextToken() != JsonToken.END_ARRAY) array.add(node(parser));
                yield array;
            }
            case VALUE_STRING -> NODES.stringNode(parser.getString());
            case VALUE_TRUE -> NODES.booleanNode(true);
            case VALUE_FALSE -> NODES.booleanNode(false);
            case VALUE_NULL -> NODES.nullNode();
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> NODES.rawValueNode(new RawValue(parser.getString()));
            default -> throw Fault.INVALID_REQUEST.saying("The body is not valid JSON.");
        };
    }
}
