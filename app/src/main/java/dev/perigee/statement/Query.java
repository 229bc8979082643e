package dev.perigee.statement;

import dev.perigee.statement.StatementCall.Where;
import java.util.List;
import java.util.Optional;

/// A caller's request: one statement, or several that succeed or fail together.
///
/// @param statements in order, at least one
/// @param where whether it runs on the replica or on the external database
/// @param isRaw whether the answer keeps columns separate from rows; visible to plugins
/// @param wantsCache whether a cached answer of the external database is acceptable
/// @param demand how fresh the copies must be that its statements read
public record Query(
        List<SqlStatement> statements,
        Where where,
        boolean isRaw,
        Caller caller,
        boolean wantsCache,
        FreshnessDemand demand) {
    /// A query that accepts no cached answer, and copies of any age.
    public Query(List<SqlStatement> statements, Where where, boolean isRaw, Caller caller) {
        this(statements, where, isRaw, caller, false, FreshnessDemand.NONE);
    }

    /// The same for copies that are as fresh as `other` says.
    public Query with(FreshnessDemand other) {
        return new Query(statements, where, isRaw, caller, wantsCache, other);
    }

    public Query {
        statements = List.copyOf(statements);
        if (statements.isEmpty()) throw new IllegalArgumentException("a query must have at least one statement");
    }

    /// Whether a request accepts a cached answer, by its header `X-Starbase-Cache`.
    public static boolean wantsCache(Optional<String> header) {
        return header.map(String::strip).filter("true"::equalsIgnoreCase).isPresent();
    }

    /// One of the statements, as hooks see it.
    public StatementCall call(SqlStatement statement) {
        return new StatementCall(statement.sql(), statement.positional(), statement.named(), where, caller, isRaw);
    }
}
