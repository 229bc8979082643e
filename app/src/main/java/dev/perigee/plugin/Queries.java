package dev.perigee.plugin;

import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.Query;

/// Runs statements like those of a caller's request: with the plugins' hooks, the caller's rights and the limits. Safe
/// for many threads.
public interface Queries {
    /// Runs a query and sends its answers to `answers`, on this thread or on one of the store's. It may block, and must
    /// not be called from inside a hook or the store's work.
    ///
    /// @throws dev.perigee.fault.PerigeeException if the query fails; nothing was written then, but the sink may have
    ///     received rows
    void run(Query query, AnswerSink answers, Cancellation cancellation);

    /// Runs many statements of an admin in one transaction on the replica. All other writes wait meanwhile. There is no
    /// limit of time or size, and plugins' hooks are not called for these statements.
    ///
    /// @throws dev.perigee.fault.PerigeeException what the work threw; nothing was written then.
    ///     [dev.perigee.fault.Fault#FORBIDDEN] for callers other than admins
    <T> T bulk(Caller caller, BulkWrite.Work<T> work);
}
