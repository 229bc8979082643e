package dev.perigee.replication.sync;

/// Hears how a sync gets on. Called before the first page of a load, with no rows, and after each committed page, on
/// the thread that committed it: it must not wait.
@FunctionalInterface
public interface SyncListener {
    /// @param table the name the table is configured by
    void progress(String table, Progress progress);

    /// Hears nothing.
    SyncListener NONE = (_, _) -> {};
}
