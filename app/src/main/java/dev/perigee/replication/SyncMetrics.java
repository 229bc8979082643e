package dev.perigee.replication;

import dev.perigee.replication.state.Guarantee;
import dev.perigee.replication.sync.SyncResult;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// The metrics of replication, as `GET /metrics` shows them.
final class SyncMetrics {
    /// The lag of one table.
    ///
    /// @param seconds the lag now; the copy is not older than that
    record Lag(String table, double seconds) {}

    private final Counter rows;
    private final Counter failures;
    private final Histogram duration;

    SyncMetrics(
            PrometheusRegistry registry,
            Supplier<List<Lag>> lags,
            Supplier<Map<String, Long>> setAside,
            Supplier<List<TableStatus>> statuses,
            BooleanSupplier isWritable) {
        GaugeWithCallback.builder()
                .name("perigee_replica_writable")
                .help(
                        "0 while the replica cannot be written, because of its disk, its file or a lock of another program")
                .callback(gauge -> gauge.call(isWritable.getAsBoolean() ? 1 : 0))
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_replication_failing")
                .help("1 if the last sync failed or the replica cannot be written")
                .labelNames("table")
                .callback(gauge -> statuses.get()
                        .forEach(table -> gauge.call(table.failing().lastError().isPresent() ? 1 : 0, table.name())))
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_replication_guarantee")
                .help("1 for the guarantee that each copy has, without the part in parentheses")
                .labelNames("table", "guarantee")
                .callback(gauge -> statuses.get()
                        .forEach(table -> gauge.call(
                                1, table.name(), Guarantee.word(table.promise().guarantee()))))
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_replication_attention")
                .help("1 for each matter that needs an admin: recovering, set_aside, different, sweep, backfill")
                .labelNames("table", "about")
                .callback(gauge -> statuses.get()
                        .forEach(table -> table.attention().forEach(one -> gauge.call(1, table.name(), one.about()))))
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_replication_held_seconds")
                .help(
                        "Age of the open transaction at the source that may still commit late rows, as of the table's last sync")
                .labelNames("table")
                .callback(gauge -> statuses.get()
                        .forEach(table -> table.promise()
                                .heldBy()
                                .ifPresent(held -> gauge.call(held.ageMs() / 1000.0, table.name()))))
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_replication_set_aside_rows")
                .help("Rows of the source that could not be stored")
                .labelNames("table")
                .callback(gauge -> setAside.get().forEach((table, count) -> gauge.call(count, table)))
                .register(registry);
        rows = Counter.builder()
                .name("perigee_replication_rows")
                .help("Rows pulled from the source, by what they did to the copy")
                .labelNames("table", "change")
                .register(registry);
        failures = Counter.builder()
                .name("perigee_replication_failures")
                .help("Syncs that failed, by fault")
                .labelNames("table", "fault")
                .register(registry);
        duration = Histogram.builder()
                .name("perigee_replication_sync_seconds")
                .help("How long syncs took")
                .classicUpperBounds(0.01, 0.1, 1, 10, 60, 600, 3600)
                .labelNames("table")
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_replication_lag_seconds")
                .help(
                        "Time since the last successful sync began (of a standby: since the last commit it had replayed); the copy is not older")
                .labelNames("table")
                .callback(gauge -> lags.get().forEach(lag -> gauge.call(lag.seconds(), lag.table())))
                .register(registry);
    }

    /// Counts a sync that has ended.
    void finished(SyncResult result) {
        rows.labelValues(result.table(), "inserted").inc(result.inserted());
        rows.labelValues(result.table(), "updated").inc(result.updated());
        rows.labelValues(result.table(), "deleted").inc(result.deleted());
        rows.labelValues(result.table(), "unchanged").inc(result.unchanged());
        duration.labelValues(result.table()).observe(result.ms() / 1000.0);
        result.error()
                .ifPresent(problem ->
                        failures.labelValues(result.table(), problem.fault()).inc());
    }
}
