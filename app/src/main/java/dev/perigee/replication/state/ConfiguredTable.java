package dev.perigee.replication.state;

import dev.perigee.config.TableConfig;

/// A table somebody asked to have replicated, and where they asked for it.
public record ConfiguredTable(TableConfig config, Origin origin) {
    public enum Origin {
        /// `perigee.yaml`: its values are taken over again at each start.
        FILE,
        /// `POST /replication/tables`.
        REST
    }
}
