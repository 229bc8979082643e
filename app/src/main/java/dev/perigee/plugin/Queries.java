package dev.perigee.plugin;

/// Runs statements the way a caller's are run: the plugins' hooks, the caller's rights, the limits. Safe for many
/// threads.
public interface Queries {
    /// Runs a query and sends the answers to `answers`, on this thread or on one of the store's. Plugins call it on
    /// threads that may wait, and never from inside a hook or the store's work.
    ///
    /// @throws dev.perigee.fault.PerigeeException with the fault's status; nothing was written then. The sink
    ///     may have had rows
    void run(Query query, AnswerSink answers, Cancellation cancellation);
}
