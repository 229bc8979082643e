package dev.perigee.replication.sync;

/// Is told the progress of a sync. Called before the first page of a load, and after each committed page on the thread
/// that committed it. It must not wait.
@FunctionalInterface
public interface SyncListener {
    /// @param table the name the table is configured by
    void progress(String table, Progress progress);

    /// A sync has succeeded and is recorded.
    default void synced(String table, SyncedTable known) {}

    /// Ignores all progress.
    SyncListener NONE = (_, _) -> {};
}
