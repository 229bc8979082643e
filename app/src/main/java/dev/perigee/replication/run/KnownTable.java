package dev.perigee.replication.run;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.sync.SyncedTable;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.WatchedTable;
import java.util.Optional;

/// What is known about a table since its last sync, as long as nothing else was done with its copy.
///
/// @param config the settings that it was synced with
record KnownTable(TableConfig config, SyncedTable synced) {
    /// Whether `now` proves that nothing changed since, and no more rows can be sealed.
    boolean isUnchangedAt(SourceVersion now) {
        boolean isOpen = synced.watched().flatMap(WatchedTable::late).isPresent();
        return !isOpen
                && synced.version().filter(at -> at.version().equals(now)).isPresent();
    }

    /// Whether the table was seen last in the run of the server that `now` is of.
    boolean isOfRun(SourceVersion now) {
        return synced.version()
                .filter(at -> at.version().server().equals(now.server()))
                .isPresent();
    }

    /// The table as a look is to watch it; empty where only a sync can tell whether it changed.
    Optional<WatchedTable> watched() {
        return synced.watched().filter(one -> !one.definition().catalog().isEmpty());
    }

    /// The same table, found unchanged by a look.
    KnownTable unchangedAt(SourceVersion.At at, Optional<WatchedTable> confirmed) {
        return new KnownTable(config, synced.unchangedAt(at, confirmed));
    }
}
