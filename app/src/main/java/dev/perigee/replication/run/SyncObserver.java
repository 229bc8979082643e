package dev.perigee.replication.run;

import dev.perigee.replication.sync.Progress;
import dev.perigee.replication.sync.SyncResult;

/// Is told what happens to replicated tables. Called on the threads that sync or configure tables, so no method may
/// block.
public interface SyncObserver {
    /// The table's state or its settings have changed.
    void changed(TableRunner runner);

    /// A page of a running sync was committed.
    void progress(TableRunner runner, Progress progress);

    /// A sync has ended, successfully or not.
    void finished(TableRunner runner, SyncResult result);

    /// The table is no longer replicated under this name.
    void removed(TableRunner runner);

    /// The table was renamed and `runner` has its new name. Its copy and its records have moved to that name
    /// (handover).
    void renamed(TableRunner runner);
}
