package dev.perigee.plugin.host;

import dev.perigee.alarm.Alarms;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.InstantSource;
import java.util.Optional;

/// What the server provides to all plugins. [dev.perigee.plugin.PluginHost] passes it on, for one plugin at a time.
///
/// @param source the external database, if one is configured
/// @param metrics the registry of the metrics that `GET /metrics` shows
public record Services(
        Store store, Optional<Source> source, Alarms alarms, InstantSource clock, PrometheusRegistry metrics) {}
