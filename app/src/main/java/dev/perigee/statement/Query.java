package dev.perigee.statement;

import dev.perigee.statement.StatementCall.Where;
import java.util.List;
import java.util.Optional;

/// What a caller asks: one statement, or several that succeed or fail together.
///
/// @param statements in order, at least one
/// @param where the replica or the external database
/// @param isRaw whether the answer keeps columns apart from rows; plugins see it
/// @param wantsCache whether an answer of the external database may be a while old
public record Query(List<SqlStatement> statements, Where where, boolean isRaw, Caller caller, boolean wantsCache) {
    /// One that wants no old answer.
    public Query(List<SqlStatement> statements, Where where, boolean isRaw, Caller caller) {
        this(statements, where, isRaw, caller, false);
    }

    public Query {
        statements = List.copyOf(statements);
        if (statements.isEmpty()) throw new IllegalArgumentException("a query has at least one statement");
    }

    /// Whether a request takes an old answer, by its header `X-Starbase-Cache`.
    public static boolean wantsCache(Optional<String> header) {
        return header.map(String::strip).filter("true"::equalsIgnoreCase).isPresent();
    }

    public StatementCall call(SqlStatement statement) {
        return new StatementCall(statement.sql(), statement.positional(), statement.named(), where, caller, isRaw);
    }
}
