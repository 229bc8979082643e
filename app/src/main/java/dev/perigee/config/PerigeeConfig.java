package dev.perigee.config;

import java.util.Optional;

/// Everything that can be configured, one record per room.
public record PerigeeConfig(
        StoreConfig store,
        ServeConfig serve,
        QueryConfig query,
        Optional<SourceConfig> source,
        ReplicationConfig replication,
        BundledConfig bundled) {

    /// With the defaults of the plugins that ship.
    public PerigeeConfig(
            StoreConfig store,
            ServeConfig serve,
            QueryConfig query,
            Optional<SourceConfig> source,
            ReplicationConfig replication) {
        this(store, serve, query, source, replication, BundledConfig.DEFAULTS);
    }

    /// The same with other settings of the plugins that ship.
    public PerigeeConfig with(BundledConfig other) {
        return new PerigeeConfig(store, serve, query, source, replication, other);
    }
}
