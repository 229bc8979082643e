package dev.perigee.serve;

import dev.perigee.store.Store;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.ToDoubleFunction;

/// The metrics of requests, the store and the JVM that `GET /metrics` shows.
final class HttpMetrics {
    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS");

    private final Counter requests;
    private final Histogram seconds;

    HttpMetrics(PrometheusRegistry registry, Store store, IntSupplier connections) {
        requests = Counter.builder()
                .name("perigee_http_requests_total")
                .help("HTTP requests answered, by the route's pattern.")
                .labelNames("method", "route", "status")
                .register(registry);
        seconds = Histogram.builder()
                .name("perigee_http_request_seconds")
                .help("Time from a request's headers to the end of its answer.")
                .unit(Unit.SECONDS)
                .classicOnly()
                .labelNames("route")
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_http_connections")
                .help("Open HTTP connections.")
                .callback(gauge -> gauge.call(connections.getAsInt()))
                .register(registry);
        gauge(registry, store, "perigee_store_database_bytes", "Size of the replica file.", Store.Stats::databaseBytes);
        gauge(registry, store, "perigee_store_wal_bytes", "Size of the replica's WAL.", Store.Stats::walBytes);
        gauge(registry, store, "perigee_store_queued_writes", "Queued writes.", Store.Stats::queuedWrites);
        gauge(registry, store, "perigee_store_active_reads", "Reads in progress.", Store.Stats::activeReads);
        counter(registry, store, "perigee_store_checkpoints_total", "Completed checkpoints.", Store.Stats::checkpoints);
        counter(
                registry,
                store,
                "perigee_store_interrupted_reads_total",
                "Reads ended because they kept the WAL from being emptied.",
                Store.Stats::interruptedReads);
        CounterWithCallback.builder()
                .name("perigee_thread_ends_total")
                .help("Threads that ended unexpectedly, by kind.")
                .labelNames("kind")
                .callback(counter -> store.threads().endCounts().forEach((kind, ends) -> counter.call(ends, kind)))
                .register(registry);
        GaugeWithCallback.builder()
                .name("perigee_threads_down")
                .help("Threads that ended unexpectedly and have not been replaced yet, by kind.")
                .labelNames("kind")
                .callback(gauge -> store.threads().downCounts().forEach((kind, down) -> gauge.call(down, kind)))
                .register(registry);
        JvmMetrics.builder().register(registry);
    }

    /// @param route the route's pattern and not the path, so that the number of time series is bounded
    void answered(String method, String route, int status, long nanos) {
        String shownMethod = METHODS.contains(method) ? method : "other";
        requests.labelValues(shownMethod, route, Integer.toString(status)).inc();
        seconds.labelValues(route).observe(nanos / (double) TimeUnit.SECONDS.toNanos(1));
    }

    private static void gauge(
            PrometheusRegistry registry, Store store, String name, String help, ToDoubleFunction<Store.Stats> value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(gauge -> gauge.call(value.applyAsDouble(store.stats())))
                .register(registry);
    }

    private static void counter(
            PrometheusRegistry registry, Store store, String name, String help, ToDoubleFunction<Store.Stats> value) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .callback(counter -> counter.call(value.applyAsDouble(store.stats())))
                .register(registry);
    }
}
