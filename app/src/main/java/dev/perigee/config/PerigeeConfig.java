package dev.perigee.config;

import java.util.Optional;

/// The whole configuration, one record per room.
public record PerigeeConfig(
        StoreConfig store,
        ServeConfig serve,
        QueryConfig query,
        Optional<SourceConfig> source,
        ReplicationConfig replication,
        BundledConfig bundled) {

    /// With the defaults for the plugins.
    public PerigeeConfig(
            StoreConfig store,
            ServeConfig serve,
            QueryConfig query,
            Optional<SourceConfig> source,
            ReplicationConfig replication) {
        this(store, serve, query, source, replication, BundledConfig.DEFAULTS);
    }

    /// The same configuration with other settings for the plugins.
    public PerigeeConfig with(BundledConfig other) {
        return new PerigeeConfig(store, serve, query, source, replication, other);
    }
}
