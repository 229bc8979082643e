package dev.perigee.replication.log;

import dev.perigee.config.TableConfig;
import java.time.Instant;
import java.util.Collection;

/// The replicated tables, as the follower of the log sees them. Safe for many threads; must not wait.
public interface LogTables {
    /// The tables in mode `log` that are not paused.
    Collection<TableConfig> followed();

    /// The log's changes can no longer be applied to a table's copy, so its rows must be read again.
    ///
    /// @param table the name it is configured by
    void outdated(String table);

    /// The copies have everything up to this time by the source's clock.
    void passed(Collection<String> tables, Instant asOf);
}
