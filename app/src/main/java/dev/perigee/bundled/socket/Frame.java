package dev.perigee.bundled.socket;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.QueryBody;
import dev.perigee.statement.FreshnessDemand;
import dev.perigee.statement.StatementCall.Where;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// A client's request in one frame: `{id?, action?, sql, params?}` or `{id?, action?, transaction: […]}`. Both may also
/// have `source` and `raw`, and say how fresh copies must be: `maxStaleness`, `after`, `wait`, `ifStale`.
///
/// @param id as JSON text; the answer repeats it
/// @param source where the statements run, if the frame says so
/// @param freshness the members about freshness; empty if the frame has none
/// @param refusal why the frame cannot be run; then no other component but `id` has a meaning
record Frame(
        Optional<String> id,
        Optional<String> source,
        boolean isRaw,
        Optional<FreshnessDemand> freshness,
        Optional<QueryBody.Parsed> body,
        Optional<PerigeeException> refusal) {
    private static final int MAX_STATEMENTS = 1000;
    private static final int MAX_ID_CHARS = 256;

    /// The frame's members other than its statements.
    private static final class Head {
        @Nullable
        String id;

        @Nullable
        String action;

        @Nullable
        String source;

        boolean isRaw;

        /// The members about freshness, by name.
        final Map<String, String> freshness = new HashMap<>();

        Optional<FreshnessDemand> demand() {
            if (freshness.isEmpty()) return Optional.empty();
            return Optional.of(FreshnessDemand.of(new FreshnessDemand.Words(
                    Optional.ofNullable(freshness.get("maxStaleness")),
                    Optional.ofNullable(freshness.get("after")),
                    Optional.empty(),
                    Optional.ofNullable(freshness.get("wait")),
                    Optional.ofNullable(freshness.get("ifStale")))));
        }
    }

    static Frame of(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Head head = new Head();
        try {
            read(bytes, head);
            if (head.action != null && !head.action.equals("query")) {
                throw Fault.INVALID_REQUEST.saying("The action \"%s\" is not known: this socket takes \"query\"."
                        .formatted(head.action.length() > 100 ? head.action.substring(0, 100) : head.action));
            }
            QueryBody.Parsed body = QueryBody.parse(bytes, MAX_STATEMENTS);
            return new Frame(
                    Optional.ofNullable(head.id),
                    Optional.ofNullable(head.source),
                    head.isRaw,
                    head.demand(),
                    Optional.of(body),
                    Optional.empty());
        } catch (PerigeeException e) {
            return refused(head, e);
        } catch (JacksonException e) {
            return refused(head, QueryBody.notJson(e));
        }
    }

    Where where(Optional<String> header, Optional<String> query) {
        return source.isPresent() ? Where.of(Optional.empty(), source) : Where.of(header, query);
    }

    private static Frame refused(Head head, PerigeeException why) {
        return new Frame(
                Optional.ofNullable(head.id),
                Optional.empty(),
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.of(why));
    }

    private static void read(byte[] bytes, Head head) {
        try (JsonParser parser = Json.MAPPER.createParser(bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw Fault.INVALID_REQUEST.saying("A frame must be a JSON object.");
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                switch (name) {
                    case "id" -> head.id = id(parser, value);
                    case "action" -> head.action = value == JsonToken.VALUE_STRING ? parser.getString() : value.name();
                    case "source" -> head.source = value == JsonToken.VALUE_STRING ? parser.getString() : null;
                    case "raw" -> head.isRaw = value == JsonToken.VALUE_TRUE;
                    case "maxStaleness", "after", "wait", "ifStale" -> {
                        if (value != JsonToken.VALUE_STRING) {
                            throw Fault.INVALID_REQUEST.saying("\"%s\" must be a text.".formatted(name));
                        }
                        head.freshness.put(name, parser.getString());
                    }
                    default -> {}
                }
                parser.skipChildren();
            }
        }
    }

    private static @Nullable String id(JsonParser parser, JsonToken value) {
        if (value == JsonToken.VALUE_NULL) return null;
        boolean isName = value == JsonToken.VALUE_STRING
                || value == JsonToken.VALUE_NUMBER_INT
                || value == JsonToken.VALUE_NUMBER_FLOAT;
        if (!isName || parser.getString().length() > MAX_ID_CHARS) {
            throw Fault.INVALID_REQUEST.saying(
                    "\"id\" must be a number or a text of at most %d characters.".formatted(MAX_ID_CHARS));
        }
        return value == JsonToken.VALUE_STRING
                ? Json.MAPPER.writeValueAsString(parser.getString())
                : parser.getString();
    }
}
