package dev.perigee.config;

import java.util.Optional;

/// Everything that can be configured, one record per room.
public record PerigeeConfig(
        StoreConfig store,
        ServeConfig serve,
        QueryConfig query,
        Optional<SourceConfig> source,
        ReplicationConfig replication) {}
