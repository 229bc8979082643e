package dev.perigee.query;

import dev.perigee.plugin.Query;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.time.InstantSource;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Counts callers' statements and the time they take, wherever they came in: for `GET /metrics` and
/// `GET /_internal/stats`. Safe for many threads.
public final class QueryMetrics {
    private static final int HOURS = 24;

    private final Counter statements;
    private final Histogram seconds;
    private final Counter inline;
    private final InstantSource clock;
    private final long[] perHour = new long[HOURS];
    private long hour;

    QueryMetrics(InstantSource clock) {
        this.clock = clock;
        this.statements = Counter.builder()
                .name("perigee_statements_total")
                .help("SQL statements of callers, by where they ran and how they ended.")
                .labelNames("where", "outcome")
                .build();
        this.seconds = Histogram.builder()
                .name("perigee_query_seconds")
                .help("Time of a request's statements from their parsed text to their last row.")
                .unit(Unit.SECONDS)
                .classicOnly()
                .labelNames("where")
                .build();
        this.inline = Counter.builder()
                .name("perigee_inline_reads_total")
                .help("Point reads answered on the thread that reads from the connections.")
                .build();
    }

    /// Shows them in `registry` from now on.
    public void register(PrometheusRegistry registry) {
        registry.register(statements);
        registry.register(seconds);
        registry.register(inline);
    }

    void ran(Query query, long nanos, boolean isDone) {
        String where = query.where().name().toLowerCase(Locale.ROOT);
        int count = query.statements().size();
        statements.labelValues(where, isDone ? "done" : "failed").inc(count);
        seconds.labelValues(where).observe(nanos / (double) TimeUnit.SECONDS.toNanos(1));
        count(count);
    }

    void ranInline(Query query, long nanos) {
        inline.inc();
        ran(query, nanos, true);
    }

    /// Statements of the last 24 hours, to the hour, since the server started.
    public synchronized long recent() {
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
