package dev.perigee.serve;

import dev.perigee.plugin.Query;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.time.InstantSource;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Counts statements and the time they take, for `GET /metrics` and `GET /_internal/stats`.
final class QueryMetrics {
    private static final int HOURS = 24;

    private final Counter statements;
    private final Histogram seconds;
    private final InstantSource clock;
    private final long[] perHour = new long[HOURS];
    private long hour;

    QueryMetrics(PrometheusRegistry registry, InstantSource clock) {
        this.clock = clock;
        this.statements = Counter.builder()
                .name("perigee_statements_total")
                .help("SQL statements of callers, by where they ran and how they ended.")
                .labelNames("where", "outcome")
                .register(registry);
        this.seconds = Histogram.builder()
                .name("perigee_query_seconds")
                .help("Time of a query request from its parsed body to its last row.")
                .unit(Unit.SECONDS)
                .classicOnly()
                .labelNames("where")
                .register(registry);
    }

    void ran(Query query, long nanos, boolean isDone) {
        String where = query.where().name().toLowerCase(Locale.ROOT);
        int count = query.statements().size();
        statements.labelValues(where, isDone ? "done" : "failed").inc(count);
        seconds.labelValues(where).observe(nanos / (double) TimeUnit.SECONDS.toNanos(1));
        count(count);
    }

    /// Statements of the last 24 hours, to the hour, since the server started.
    synchronized long recent() {
        advance();
        long sum = 0;
        for (long count : perHour) sum += count;
        return sum;
    }

    private synchronized void count(int statements) {
        advance();
        perHour[Math.floorMod(hour, HOURS)] += statements;
    }

    private void advance() {
        long now = TimeUnit.MILLISECONDS.toHours(clock.millis());
        for (long next = Math.max(hour + 1, now - HOURS + 1); next <= now; next++) {
            perHour[Math.floorMod(next, HOURS)] = 0;
        }
        hour = now;
    }
}
