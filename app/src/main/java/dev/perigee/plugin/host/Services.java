package dev.perigee.plugin.host;

import dev.perigee.alarm.Alarms;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.InstantSource;
import java.util.Optional;

/// What the server lends its plugins; [dev.perigee.plugin.PluginHost] hands it on, one plugin at a time.
///
/// @param source the external database, when one is configured
/// @param metrics where plugins register what `GET /metrics` shows
public record Services(
        Store store, Optional<Source> source, Alarms alarms, InstantSource clock, PrometheusRegistry metrics) {}
