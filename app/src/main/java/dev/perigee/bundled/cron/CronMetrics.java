package dev.perigee.bundled.cron;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Locale;
import java.util.function.IntSupplier;

/// What `GET /metrics` says about scheduled tasks.
final class CronMetrics {
    private final Counter runs;
    private final Counter seconds;

    /// @param running counts the tasks that have a run under way
    CronMetrics(PrometheusRegistry registry, IntSupplier running) {
        runs = Counter.builder()
                .name("perigee_cron_runs_total")
                .help("Runs of scheduled tasks, by outcome.")
                .labelNames("outcome")
                .register(registry);
        seconds = Counter.builder()
                .name("perigee_cron_run_seconds_total")
                .help("Time that runs of scheduled tasks took, pauses between attempts included.")
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_cron_running")
                .help("Scheduled tasks that have a run under way.")
                .callback(callback -> callback.call(running.getAsInt()))
                .register(registry);
    }

    void ran(CronRun run) {
        runs.labelValues(run.outcome().name().toLowerCase(Locale.ROOT)).inc();
        seconds.inc(run.ms() / 1000.0);
    }
}
