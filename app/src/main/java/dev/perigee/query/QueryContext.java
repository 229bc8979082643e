package dev.perigee.query;

import dev.perigee.config.QueryConfig;
import dev.perigee.plugin.host.PluginRegistry;
import dev.perigee.query.external.ExternalCache;
import dev.perigee.query.external.MemoryBudget;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import java.util.Optional;

/// What every query of one engine uses.
///
/// @param source the external database, if one is configured
/// @param memory shared by large requests, rows and collected answers
/// @param cache caches the answers of `source`
/// @param points knows which statements are point reads
/// @param workers run clients' statements in other processes
/// @param connections of the store, for statements that run in this process
record QueryContext(
        Store store,
        Optional<Source> source,
        PluginRegistry plugins,
        QueryConfig config,
        MemoryBudget memory,
        Optional<ExternalCache> cache,
        PointReads points,
        WorkerQueries workers,
        CallerConnections connections) {}
