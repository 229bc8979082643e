package dev.perigee.replication;

import dev.perigee.alarm.Alarms;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.CronEvent;
import dev.perigee.plugin.FreshnessGate;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.Queries;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.Upload;
import dev.perigee.source.Source;
import dev.perigee.sqlite.SqliteFunction;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.store.Store;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import tools.jackson.databind.JsonNode;

/// What the server is to the plugin, with a real store and real alarms and without HTTP: routes are called by name.
public final class TestHost implements PluginHost, AutoCloseable {
    /// @param body the whole answer, envelope included
    public record Reply(int status, JsonNode body) {
        public JsonNode result() {
            if (status != 200) throw new AssertionError("status " + status + ": " + body);
            return body.get("result");
        }

        String error() {
            return body.get("error").stringValue();
        }
    }

    private record Route(String method, String[] path, Access access, RouteHandler handler) {}

    public final Store store;
    final Map<String, String> protectedTables = new ConcurrentHashMap<>();
    public final ReplicationPlugin plugin;
    private final Optional<Source> source;
    private final InstantSource clock;
    private final Alarms alarms;
    private final List<Route> routes = new ArrayList<>();
    private final PrometheusRegistry metrics = new PrometheusRegistry();

    private TestHost(Path folder, Optional<Source> source, InstantSource clock, ReplicationConfig config) {
        this.source = source;
        this.clock = clock;
        this.store = Store.open(StoreConfig.of(folder));
        this.alarms = new Alarms(store, clock);
        this.plugin = new ReplicationPlugin(config);
        plugin.register(this);
        alarms.handler(plugin.name(), new Alarms.Handler() {
            @Override
            public void onAlarm(int attempt) {
                plugin.onAlarm(attempt);
            }

            @Override
            public void onClockSetBack() throws Exception {
                plugin.onClockSetBack();
            }
        });
    }

    /// A server on `folder` whose schedule runs.
    public static TestHost started(Path folder, Source source, TableConfig... tables) {
        return started(folder, source, InstantSource.system(), settings(tables));
    }

    public static TestHost started(Path folder, Source source, InstantSource clock, ReplicationConfig config) {
        TestHost host = new TestHost(folder, Optional.of(source), clock, config);
        host.start();
        return host;
    }

    /// A server whose schedule does not run: only what a test asks for is synced.
    public static TestHost idle(Path folder, Source source, TableConfig... tables) {
        return idle(folder, source, InstantSource.system(), tables);
    }

    public static TestHost idle(Path folder, Source source, InstantSource clock, TableConfig... tables) {
        return new TestHost(folder, Optional.of(source), clock, settings(tables));
    }

    static TestHost withoutSource(Path folder) {
        return new TestHost(folder, Optional.empty(), InstantSource.system(), settings());
    }

    /// Retries come quickly, so that tests do not wait.
    public static ReplicationConfig settings(TableConfig... tables) {
        return new ReplicationConfig(List.of(tables), 2, 100, Duration.ofMillis(50), Duration.ofMillis(200));
    }

    void start() {
        plugin.start();
        alarms.start();
    }

    /// Has the schedule look at a clock that was moved.
    public void wake() {
        alarms.wake();
    }

    public Reply get(String path) {
        return call("GET", path, "");
    }

    public Reply post(String path, String json) {
        return call("POST", path, json);
    }

    /// Calls the route that fits, as the server does. JSON bodies may use single quotes.
    public Reply call(String method, String pathAndQuery, String json) {
        Response response;
        try {
            response = respond(method, pathAndQuery, json.replace('\'', '"'));
        } catch (PerigeeException e) {
            response = Response.error(e.fault().httpStatus(), e.getMessage());
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            response.body().writeTo(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Reply(response.status(), Json.MAPPER.readTree(out.toByteArray()));
    }

    Response respond(String method, String pathAndQuery, String json) {
        String[] parts = pathAndQuery.split("\\?", 2);
        String[] path = parts[0].split("/");
        for (Route route : routes) {
            if (!route.method().equals(method) || route.path().length != path.length) continue;
            Map<String, String> parameters = new HashMap<>();
            boolean fits = true;
            for (int i = 0; i < path.length; i++) {
                if (route.path()[i].startsWith(":")) parameters.put(route.path()[i].substring(1), path[i]);
                else fits &= route.path()[i].equals(path[i]);
            }
            if (fits) return route.handler().handle(new TestRequest(method, parts, parameters, json));
        }
        throw new AssertionError("no route for " + method + " " + pathAndQuery);
    }

    boolean isAdminOnly() {
        return !routes.isEmpty() && routes.stream().allMatch(route -> route.access() == Access.ADMIN);
    }

    /// Rows of the replica, each cell as text, NULL as `null`.
    public List<List<String>> query(String sql) {
        return store.read(Duration.ofSeconds(30), tx -> {
            List<List<String>> rows = new ArrayList<>();
            SqliteStatement statement = tx.statement(sql);
            while (statement.step()) {
                List<String> row = new ArrayList<>();
                for (int i = 0; i < statement.columnCount(); i++) row.add(String.valueOf(statement.textAt(i)));
                rows.add(row);
            }
            return rows;
        });
    }

    /// What `GET /metrics` would show.
    String exposed() {
        var out = new ByteArrayOutputStream();
        try {
            io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter.create()
                    .write(out, metrics.scrape());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    /// The only cell of the only row.
    public String value(String sql) {
        return query(sql).getFirst().getFirst();
    }

    public void execute(String sql) {
        store.write(tx -> {
            tx.connection().exec(sql);
            return true;
        });
    }

    @Override
    public void close() {
        alarms.close();
        plugin.stop();
        store.close();
    }

    @Override
    public Store store() {
        return store;
    }

    @Override
    public Optional<Source> source() {
        return source;
    }

    @Override
    public Queries queries() {
        throw new UnsupportedOperationException("replication runs no caller's statements");
    }

    @Override
    public InstantSource clock() {
        return clock;
    }

    @Override
    public PrometheusRegistry metrics() {
        return metrics;
    }

    @Override
    public void route(String method, String path, Access access, RouteHandler handler) {
        routes.add(new Route(method, path.split("/"), access, handler));
    }

    @Override
    public void socket(String path, Access access, SocketHandler handler) {
        throw new UnsupportedOperationException("replication has no sockets");
    }

    @Override
    public Map<String, String> tellCron(CronEvent event) {
        return Map.of();
    }

    @Override
    public void function(String name, int argumentCount, SqliteFunction function) {
        throw new UnsupportedOperationException("replication has no functions");
    }

    @Override
    public void uploadRoute(String method, String path, Access access, long maxBytes, RouteHandler handler) {
        throw new UnsupportedOperationException("replication has no uploads");
    }

    @Override
    public void setAlarm(Instant due) {
        alarms.set(plugin.name(), due);
    }

    @Override
    public Optional<Instant> alarm() {
        return alarms.due(plugin.name());
    }

    @Override
    public void clearAlarm() {
        alarms.clear(plugin.name());
    }

    @Override
    public void protectTable(String table, String reason, boolean fromAdmins) {
        protectedTables.put(table, reason);
    }

    @Override
    public void unprotectTable(String table) {
        protectedTables.remove(table);
    }

    @Override
    public void freshness(FreshnessGate gate) {}

    private record TestRequest(String method, String[] pathAndQuery, Map<String, String> parameters, String text)
            implements Request {
        @Override
        public Upload upload(String field, Path folder) {
            throw new UnsupportedOperationException("replication takes no uploads");
        }

        @Override
        public String address() {
            return "127.0.0.1";
        }

        @Override
        public boolean isEncrypted() {
            return false;
        }

        @Override
        public void audited() {}

        @Override
        public String path() {
            return pathAndQuery[0];
        }

        @Override
        public String pathParameter(String name) {
            return parameters.get(name);
        }

        @Override
        public Optional<String> query(String name) {
            if (pathAndQuery.length == 1) return Optional.empty();
            for (String pair : pathAndQuery[1].split("&")) {
                String[] parts = pair.split("=", 2);
                if (parts[0].equals(name)) return Optional.of(parts.length == 1 ? "" : parts[1]);
            }
            return Optional.empty();
        }

        @Override
        public Optional<String> header(String name) {
            return Optional.empty();
        }

        @Override
        public Map<String, String> pathParameters() {
            return parameters;
        }

        @Override
        public Map<String, List<String>> queryParameters() {
            return Map.of();
        }

        @Override
        public Cancellation cancellation() {
            return new Cancellation();
        }

        @Override
        public Caller caller() {
            return Caller.ADMIN;
        }

        @Override
        public byte[] body() {
            return text.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public JsonNode json() {
            try {
                return Json.MAPPER.readTree(text);
            } catch (tools.jackson.core.JacksonException e) {
                throw Fault.INVALID_REQUEST.in("the body", "it is not JSON", "Nothing was changed", e);
            }
        }
    }
}
