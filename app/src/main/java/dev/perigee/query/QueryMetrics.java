package dev.perigee.query;

import dev.perigee.statement.Query;
import dev.perigee.worker.WorkerPool;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.time.InstantSource;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Counts callers' statements and their time, by whatever way they came in, for `GET /metrics` and
/// `GET /_internal/stats`. Safe for many threads.
public final class QueryMetrics {
    private static final int HOURS = 24;

    private final Counter statements;
    private final Histogram seconds;
    private final Counter inline;
    private final GaugeWithCallback workers;
    private final CounterWithCallback workerEnds;
    private final InstantSource clock;
    private final long[] perHour = new long[HOURS];
    private long hour;

    /// @param pool gives the state of the worker processes
    QueryMetrics(InstantSource clock, Supplier<WorkerPool.Stats> pool) {
        this.clock = clock;
        this.workers = GaugeWithCallback.builder()
                .name("perigee_workers")
                .help("Worker processes for clients' statements, by whether they are running one.")
                .labelNames("state")
                .callback(gauge -> {
                    WorkerPool.Stats now = pool.get();
                    gauge.call(now.busy(), "busy");
                    gauge.call(now.running() - now.busy(), "idle");
                })
                .build();
        this.workerEnds = CounterWithCallback.builder()
                .name("perigee_worker_ends_total")
                .help("Worker processes that ended and were replaced, by the reason.")
                .labelNames("reason")
                .callback(counter -> {
                    WorkerPool.Stats now = pool.get();
                    counter.call(now.outOfTime(), "time");
                    counter.call(now.outOfMemory(), "memory");
                    counter.call(now.crashed(), "crash");
                })
                .build();
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

    /// Registers the metrics in `registry`.
    public void register(PrometheusRegistry registry) {
        registry.register(statements);
        registry.register(seconds);
        registry.register(inline);
        registry.register(workers);
        registry.register(workerEnds);
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

    /// How many statements this server process has run in the current hour and the 23 hours before it.
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
