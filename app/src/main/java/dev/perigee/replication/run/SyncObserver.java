package dev.perigee.replication.run;

import dev.perigee.replication.sync.Progress;
import dev.perigee.replication.sync.SyncResult;

/// Hears what happens to replicated tables. Called on the threads that sync: nothing here may wait.
public interface SyncObserver {
    /// Its state or its settings are different now.
    void changed(TableRunner runner);

    void progress(TableRunner runner, Progress progress);

    void finished(TableRunner runner, SyncResult result);

    void removed(TableRunner runner);

    /// The table has this name now, and its copy and all that was remembered of it came with it.
    void renamed(TableRunner runner);
}
