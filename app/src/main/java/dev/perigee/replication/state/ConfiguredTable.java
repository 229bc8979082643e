package dev.perigee.replication.state;

import dev.perigee.config.TableConfig;

/// A replicated table: its settings, and where they came from.
public record ConfiguredTable(TableConfig config, Origin origin) {
    public enum Origin {
        /// The file `perigee.yaml`. Its values replace the stored ones at each start.
        FILE,
        /// A request, `POST /replication/tables`.
        REST
    }
}
