package dev.perigee.plugin;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.Affinity;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.SqlStatement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;

/// Reads the body of `/query` and `/query/raw`: `{sql, params?}` or `{transaction: [{sql, params?}, …]}`.
///
/// A non-empty `transaction` wins over `sql`; unknown members are ignored.
public final class QueryBody {
    /// @param isTransaction whether the answer is an array of answers
    public record Parsed(List<SqlStatement> statements, boolean isTransaction) {}

    /// Maximum number of parameters of a statement, as in SQLite.
    private static final int MAX_PARAMETERS = 32_766;

    private static final JsonFactory FACTORY = new JsonFactory();

    private final JsonParser parser;
    private final int maxStatements;

    private QueryBody(JsonParser parser, int maxStatements) {
        this.parser = parser;
        this.maxStatements = maxStatements;
    }

    /// @throws PerigeeException [Fault#INVALID_REQUEST] with the messages that StarbaseDB's clients know,
    ///     [Fault#TOO_LARGE] for too many statements or parameters
    public static Parsed parse(byte[] body, int maxStatements) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), body)) {
            return new QueryBody(parser, maxStatements).body();
        } catch (JacksonException e) {
            throw notJson(e);
        }
    }

    /// The fault for a body that is not valid JSON, or that exceeds a limit of the JSON parser.
    public static PerigeeException notJson(JacksonException e) {
        TokenStreamLocation place = e.getLocation();
        // An exceeded limit of the parser, such as its depth, has no location.
        if (place == null) {
            return Fault.INVALID_REQUEST.saying(
                    "The body is JSON that is larger than this server reads: at most %d levels deep, numbers of %d digits, names of %d characters."
                            .formatted(
                                    StreamReadConstraints.DEFAULT_MAX_DEPTH,
                                    StreamReadConstraints.DEFAULT_MAX_NUM_LEN,
                                    StreamReadConstraints.DEFAULT_MAX_NAME_LEN));
        }
        return Fault.INVALID_REQUEST.saying(
                "The body is not valid JSON: line %d, column %d.".formatted(place.getLineNr(), place.getColumnNr()));
    }

    private Parsed body() {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw Fault.INVALID_REQUEST.saying("The body must be a JSON object.");
        }
        Draft single = new Draft();
        List<Draft> transaction = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            parser.nextToken();
            if (name.equals("transaction") && parser.currentToken() == JsonToken.START_ARRAY) {
                transaction(transaction);
            } else {
                member(single, name);
            }
        }
        if (parser.nextToken() != null) {
            throw Fault.INVALID_REQUEST.saying("The body must be one JSON object, but something follows it.");
        }
        if (transaction.isEmpty()) return new Parsed(List.of(single.statement()), false);
        return new Parsed(transaction.stream().map(Draft::statement).toList(), true);
    }

    private void transaction(List<Draft> drafts) {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (drafts.size() == maxStatements) {
                throw Fault.TOO_LARGE.saying("A transaction has at most %d statements.".formatted(maxStatements));
            }
            Draft draft = new Draft();
            drafts.add(draft);
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                parser.skipChildren(); // It is refused later, because it has no "sql".
                continue;
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                member(draft, name);
            }
        }
    }

    private void member(Draft draft, String name) {
        switch (name) {
            case "sql" -> {
                draft.sql = parser.currentToken() == JsonToken.VALUE_STRING ? parser.getString() : null;
                parser.skipChildren();
            }
            case "params" -> parameters(draft);
            default -> parser.skipChildren();
        }
    }

    private void parameters(Draft draft) {
        draft.positional.clear();
        draft.named.clear();
        switch (parser.currentToken()) {
            case VALUE_NULL -> {}
            case START_ARRAY -> {
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    checkCount(draft.positional.size());
                    draft.positional.add(value());
                }
            }
            case START_OBJECT -> {
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    checkCount(draft.named.size());
                    String name = parser.currentName();
                    parser.nextToken();
                    boolean hasSigil = !name.isEmpty() && ":@$".indexOf(name.charAt(0)) >= 0;
                    draft.named.put(hasSigil ? name.substring(1) : name, value());
                }
            }
            default -> draft.hasWrongParams = true;
        }
    }

    private static void checkCount(int count) {
        if (count == MAX_PARAMETERS) {
            throw Fault.TOO_LARGE.saying("\"params\" has more than %d values.".formatted(MAX_PARAMETERS));
        }
    }

    private Value value() {
        return switch (parser.currentToken()) {
            case VALUE_NULL -> Value.Null.NULL;
            case VALUE_TRUE -> new Value.Int(1);
            case VALUE_FALSE -> new Value.Int(0);
            case VALUE_STRING -> new Value.Text(parser.getString());
            case VALUE_NUMBER_INT -> integer();
            case VALUE_NUMBER_FLOAT -> {
                // A double that cannot hold all the digits would be a different number.
                yield Affinity.REAL.ofNumber(parser.getString()).orElseThrow(this::outOfRange);
            }
            default ->
                throw Fault.INVALID_REQUEST.saying(
                        "A value in \"params\" is an array or object: send its JSON as a string.");
        };
    }

    private Value integer() {
        return switch (parser.getNumberType()) {
            case INT, LONG -> new Value.Int(parser.getLongValue());
            default -> throw outOfRange();
        };
    }

    private PerigeeException outOfRange() {
        return Fault.INVALID_REQUEST.saying(
                "A number in \"params\" is out of range or has more digits than a number of 64 bits holds; send it as a string: line %d, column %d."
                        .formatted(
                                parser.currentTokenLocation().getLineNr(),
                                parser.currentTokenLocation().getColumnNr()));
    }

    /// A statement, as far as it has been read.
    private static final class Draft {
        @Nullable
        String sql;

        boolean hasWrongParams;
        final List<Value> positional = new ArrayList<>();
        final Map<String, Value> named = new HashMap<>();

        SqlStatement statement() {
            String text = sql;
            if (text == null || text.isBlank()) {
                throw Fault.INVALID_REQUEST.saying("Invalid or empty \"sql\" field.");
            }
            if (hasWrongParams) {
                throw Fault.INVALID_REQUEST.saying("Invalid \"params\" field. Must be an array or object.");
            }
            return new SqlStatement(text, positional, named);
        }
    }
}
