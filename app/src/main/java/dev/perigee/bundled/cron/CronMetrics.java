package dev.perigee.bundled.cron;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Locale;
import java.util.function.IntSupplier;

/// What `GET /metrics` says of tasks by the clock.
final class CronMetrics {
    private final Counter runs;
    private final Counter seconds;

    /// @param running tasks of which a run is not over
    CronMetrics(PrometheusRegistry registry, IntSupplier running) {
        runs = Counter.builder()
                .name("perigee_cron_runs_total")
                .help("Runs of tasks by the clock, by how they ended.")
                .labelNames("outcome")
                .register(registry);
        seconds = Counter.builder()
                .name("perigee_cron_run_seconds_total")
                .help("Time that runs of tasks by the clock took, pauses between attempts too.")
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_cron_running")
                .help("Tasks by the clock of which a run is not over.")
                .callback(callback -> callback.call(running.getAsInt()))
                .register(registry);
    }

    void ran(CronRun run) {
        runs.labelValues(run.outcome().name().toLowerCase(Locale.ROOT)).inc();
        seconds.inc(run.ms() / 1000.0);
    }
}
