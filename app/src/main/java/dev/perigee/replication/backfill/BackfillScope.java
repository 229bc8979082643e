package dev.perigee.replication.backfill;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// Which rows a backfill fetches: the row with `key`; the rows from `from` to `to`, both included; or all rows.
///
/// @param key one text per key column, in the source's form
/// @param from as `key`; empty for a range without a beginning
/// @param to as `key`; empty for a range without an end
record BackfillScope(Optional<List<String>> key, Optional<List<String>> from, Optional<List<String>> to) {
    private static final Set<String> FIELDS = Set.of("key", "from", "to");

    /// Reads the body of a request. The source has not checked the texts yet.
    ///
    /// @param columns the columns of the table's key
    /// @throws PerigeeException [Fault#INVALID_REQUEST] naming the field
    static BackfillScope of(JsonNode body, List<String> columns) {
        if (!body.isObject()) throw invalid("the body: expected an object");
        for (String field : body.propertyNames()) {
            if (!FIELDS.contains(field))
                throw invalid("`%s`: unknown field, expected `key`, or `from` and `to`".formatted(field));
        }
        BackfillScope scope = new BackfillScope(
                texts(body, "key", columns), texts(body, "from", columns), texts(body, "to", columns));
        if (scope.key().isPresent() && (scope.from().isPresent() || scope.to().isPresent())) {
            throw invalid("`key`: expected either `key`, or `from` and `to`");
        }
        return scope;
    }

    private static Optional<List<String>> texts(JsonNode body, String field, List<String> columns) {
        if (!body.has(field)) return Optional.empty();
        JsonNode node = body.get(field);
        String expected = "`%s`: expected an array of one text for each key column: %s".formatted(field, columns);
        if (!node.isArray() || node.size() != columns.size()) throw invalid(expected);
        List<String> texts = new ArrayList<>();
        for (JsonNode text : node) {
            if (!text.isString() && !text.isNumber()) throw invalid(expected);
            texts.add(text.asString());
        }
        return Optional.of(texts);
    }

    static PerigeeException invalid(String what) {
        return Fault.INVALID_REQUEST.in("the request", what, "Nothing was changed");
    }
}
