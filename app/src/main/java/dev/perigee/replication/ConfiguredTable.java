package dev.perigee.replication;

import dev.perigee.config.TableConfig;

/// A table somebody asked to have replicated, and where they asked for it.
record ConfiguredTable(TableConfig config, Origin origin) {
    enum Origin {
        /// `perigee.yaml`: its values are taken over again at each start.
        FILE,
        /// `POST /replication/tables`.
        REST
    }
}
