package dev.perigee.plugin;

import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.Query;

/// Runs statements the way a caller's are run: the plugins' hooks, the caller's rights, the limits. Safe for many
/// threads.
public interface Queries {
    /// Runs a query and sends the answers to `answers`, on this thread or on one of the store's. Plugins call it on
    /// threads that may wait, and never from inside a hook or the store's work.
    ///
    /// @throws dev.perigee.fault.PerigeeException with the fault's status; nothing was written then. The sink may have
    ///     had rows
    void run(Query query, AnswerSink answers, Cancellation cancellation);

    /// Runs many statements of an admin in one transaction on the replica. It holds up all other writes meanwhile, and
    /// has no limit of time or size; plugins' hooks are not told of its statements.
    ///
    /// @throws dev.perigee.fault.PerigeeException what the work threw; nothing was written then.
    ///     [dev.perigee.fault.Fault#FORBIDDEN] for callers other than admins
    <T> T bulk(Caller caller, BulkWrite.Work<T> work);
}
