package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.PluginFailure;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.RouteTable;
import dev.perigee.plugin.host.PluginRegistry;
import dev.perigee.query.QueryMetrics;
import dev.perigee.source.Source;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;

/// The endpoints that tell the server's state: `/healthz`, `/readyz`, `/status/database`, `/_internal/stats` and
/// `/metrics`.
final class StatusEndpoints {
    private static final Duration PROBE_LIMIT = Duration.ofSeconds(5);

    /// @param source the state of the external database; readiness does not depend on it
    private record Ready(String status, String source) {}

    private final Store store;
    private final SourceProbe source;
    private final PluginRegistry plugins;
    private final QueryMetrics queries;
    private final PrometheusRegistry metrics;
    private final ServerState server;

    /// What the server tells about itself.
    ///
    /// @param connections open HTTP connections
    /// @param isServing whether it has started and is not stopping
    record ServerState(IntSupplier connections, BooleanSupplier isServing) {}

    StatusEndpoints(
            Store store,
            Optional<Source> source,
            PluginRegistry plugins,
            QueryMetrics queries,
            PrometheusRegistry metrics,
            ServerState server) {
        this.store = store;
        this.source = new SourceProbe(source);
        this.plugins = plugins;
        this.queries = queries;
        this.metrics = metrics;
        this.server = server;
    }

    void addTo(RouteTable<Endpoint> routes) {
        routes.add(
                "GET", "/healthz", new Endpoint(Access.ANYBODY, exchange -> exchange.result(Map.of("status", "ok"))));
        routes.add("GET", "/readyz", new Endpoint(Access.ANYBODY, this::ready));
        routes.add("GET", "/status/database", new Endpoint(Access.CLIENT, this::database));
        routes.add("GET", "/_internal/stats", new Endpoint(Access.ADMIN, this::stats));
        routes.add("GET", "/metrics", new Endpoint(Access.ADMIN, this::metrics));
    }

    private void ready(Exchange exchange) throws IOException {
        if (!server.isServing().getAsBoolean()) throw Fault.CLOSED.saying("The server is starting or stopping.");
        Set<String> down = store.threads().down();
        if (!down.isEmpty()) {
            throw Fault.BUSY.saying("Not ready: threads of these kinds ended and have not been replaced yet: %s."
                    .formatted(String.join(", ", down)));
        }
        pingStore();
        exchange.result(new Ready("ready", source.state().name()));
    }

    private void database(Exchange exchange) throws IOException {
        Store.Stats stats = store.stats();
        Map<String, Object> internal = new LinkedHashMap<>();
        Optional<PerigeeException> trouble = store.trouble();
        internal.put("status", trouble.isEmpty() ? "ok" : "failing");
        internal.put("sqliteVersion", pingStore());
        internal.put("databaseBytes", stats.databaseBytes());
        internal.put("walBytes", stats.walBytes());
        internal.put("activeReads", stats.activeReads());
        internal.put("queuedWrites", stats.queuedWrites());
        // For admins only: the message names the file.
        if (exchange.caller().isAdmin()) trouble.ifPresent(why -> internal.put("error", error(why)));
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("internal", internal);
        answer.put("external", source.describe(exchange.caller().isAdmin()));
        exchange.result(answer);
    }

    private static Map<String, Object> error(PerigeeException why) {
        Map<String, Object> error = new LinkedHashMap<>();
        error.put("fault", why.fault().name());
        error.put("message", why.getMessage());
        error.put("remedy", why.remedy());
        return error;
    }

    private void stats(Exchange exchange) throws IOException {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("databaseSize", store.stats().databaseBytes());
        answer.put("activeConnections", server.connections().getAsInt());
        answer.put("recentQueries", queries.recent());
        answer.put("plugins", plugins.names());
        // For admins only: a failure may reveal something about the machine.
        List<PluginFailure> failures = exchange.caller().isAdmin() ? plugins.failures() : List.of();
        if (!failures.isEmpty()) answer.put("pluginFailures", failures);
        exchange.result(answer);
    }

    private void metrics(Exchange exchange) throws IOException {
        exchange.status(200, PrometheusTextFormatWriter.CONTENT_TYPE);
        AnswerStream out = new AnswerStream(exchange, null);
        PrometheusTextFormatWriter.create().write(out, metrics.scrape());
        out.finish();
    }

    /// Checks that the store answers.
    ///
    /// @return SQLite's version
    /// @throws PerigeeException if the store does not answer within five seconds
    private String pingStore() {
        return store.read(PROBE_LIMIT, transaction -> {
            SqliteStatement statement = transaction.statement("SELECT sqlite_version()");
            statement.step();
            return String.valueOf(statement.textAt(0));
        });
    }
}
