package dev.perigee.replication;

import dev.perigee.replication.state.Guarantee;
import dev.perigee.replication.sync.SyncResult;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
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
        gauge(
                registry,
                "perigee_replica_writable",
                "0 while the replica cannot be written, because of its disk, its file or a lock of another program",
                gauge -> gauge.call(isWritable.getAsBoolean() ? 1 : 0));
        statusGauges(registry, statuses);
        logGauges(
                registry,
                () -> statuses.get().stream()
                        .flatMap(table -> table.underWay().log().stream())
                        .findFirst());
        gauge(
                registry,
                "perigee_replication_set_aside_rows",
                "Rows of the source that could not be stored",
                gauge -> setAside.get().forEach((table, count) -> gauge.call(count, table)),
                "table");
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
        gauge(
                registry,
                "perigee_replication_lag_seconds",
                "Time since the last successful sync began (of a standby: since the last commit it had replayed); the copy is not older",
                gauge -> lags.get().forEach(lag -> gauge.call(lag.seconds(), lag.table())),
                "table");
    }

    private static void statusGauges(PrometheusRegistry registry, Supplier<List<TableStatus>> statuses) {
        gauge(
                registry,
                "perigee_replication_failing",
                "1 if the last sync failed or the replica cannot be written",
                gauge -> statuses.get()
                        .forEach(table -> gauge.call(table.failing().lastError().isPresent() ? 1 : 0, table.name())),
                "table");
        gauge(
                registry,
                "perigee_replication_guarantee",
                "1 for the guarantee that each copy has, without the part in parentheses",
                gauge -> statuses.get()
                        .forEach(table -> gauge.call(
                                1, table.name(), Guarantee.word(table.promise().guarantee()))),
                "table",
                "guarantee");
        gauge(
                registry,
                "perigee_replication_attention",
                "1 for each matter that needs an admin: recovering, set_aside, different, sweep, backfill",
                gauge -> statuses.get()
                        .forEach(table -> table.attention().forEach(one -> gauge.call(1, table.name(), one.about()))),
                "table",
                "about");
        gauge(
                registry,
                "perigee_replication_held_seconds",
                "Age of the open transaction at the source that may still commit late rows, as of the table's last sync",
                gauge -> statuses.get()
                        .forEach(table -> table.promise()
                                .heldBy()
                                .ifPresent(held -> gauge.call(held.ageMs() / 1000.0, table.name()))),
                "table");
    }

    private static void logGauges(PrometheusRegistry registry, Supplier<Optional<LogView>> log) {
        gauge(
                registry,
                "perigee_replication_log_lag_bytes",
                "Bytes of the source's log that were not applied yet when the source was asked last",
                gauge -> log.get().flatMap(LogView::lagBytes).ifPresent(gauge::call));
        gauge(
                registry,
                "perigee_replication_log_lag_seconds",
                "Time since the last moment up to which the source's log was applied",
                gauge -> log.get().flatMap(LogView::lagMs).ifPresent(ms -> gauge.call(ms / 1000.0)));
        gauge(
                registry,
                "perigee_replication_log_retained_bytes",
                "Bytes of its log that the source keeps until they are applied",
                gauge -> log.get().flatMap(LogView::retainedBytes).ifPresent(gauge::call));
    }

    private static void gauge(
            PrometheusRegistry registry,
            String name,
            String help,
            Consumer<GaugeWithCallback.Callback> values,
            String... labels) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames(labels)
                .callback(values)
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
