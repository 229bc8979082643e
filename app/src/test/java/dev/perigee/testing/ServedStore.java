package dev.perigee.testing;

import dev.perigee.alarm.Alarms;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.plugin.host.PluginRegistry;
import dev.perigee.plugin.host.Services;
import dev.perigee.query.QueryEngine;
import dev.perigee.serve.Server;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import dev.perigee.worker.WorkerPool;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A real server over a real replica, and a client for it.
public final class ServedStore implements AutoCloseable {
    public static final String ADMIN = "admin-token";
    public static final String CLIENT = "client-token";

    public final Store store;
    public final Server server;
    public final HttpClient http = HttpClient.newHttpClient();
    private final Alarms alarms;
    private final PluginRegistry plugins;
    private final QueryEngine engine;

    /// How one test wants its server.
    public record Setup(
            UnaryOperator<ServeConfig> serve,
            QueryConfig query,
            Optional<Source> source,
            List<StarbasePlugin> plugins) {
        public static Setup standard() {
            return new Setup(config -> config, QueryConfig.defaults(), Optional.empty(), List.of());
        }

        public Setup serve(UnaryOperator<ServeConfig> change) {
            return new Setup(change, query, source, plugins);
        }

        public Setup query(QueryConfig limits) {
            return new Setup(serve, limits, source, plugins);
        }

        public Setup source(Source external) {
            return new Setup(serve, query, Optional.of(external), plugins);
        }

        public Setup plugins(StarbasePlugin... list) {
            return new Setup(serve, query, source, List.of(list));
        }
    }

    public ServedStore(Path directory) {
        this(directory, Setup.standard());
    }

    public ServedStore(Path directory, Setup setup) {
        PrometheusRegistry metrics = new PrometheusRegistry();
        store = Store.open(StoreConfig.of(directory));
        alarms = new Alarms(store, InstantSource.system());
        Services services = new Services(store, setup.source(), alarms, InstantSource.system(), metrics);
        try {
            plugins = new PluginRegistry(setup.plugins(), services);
        } catch (RuntimeException e) {
            alarms.close();
            store.close();
            throw e;
        }
        engine = new QueryEngine(store, setup.source(), plugins, setup.query());
        try {
            plugins.start(engine);
        } catch (RuntimeException e) {
            engine.close();
            alarms.close();
            store.close();
            throw e;
        }
        alarms.start();
        ServeConfig standard = ServeConfig.of(0, ADMIN)
                .with(new ServeConfig.Access(ADMIN, Optional.of(CLIENT), Optional.empty(), "RS256"))
                .with(new ServeConfig.Limits(1L << 20, 64, Duration.ofSeconds(30), Duration.ofSeconds(5)));
        server = new Server(setup.serve().apply(standard), engine, plugins, store, setup.source(), metrics);
        server.start();
    }

    /// The same settings with other callers.
    public static ServeConfig with(ServeConfig c, Optional<String> clientToken, Optional<String> jwksEndpoint) {
        return c.with(new ServeConfig.Access(
                c.access().adminToken(), clientToken, jwksEndpoint, c.access().jwtAlgorithm()));
    }

    /// The processes that run clients' statements.
    public WorkerPool workers() {
        return engine.workers();
    }

    /// Returns when a worker is there, for tests of limits that are shorter than a busy machine takes to start one.
    public void awaitWorker() {
        engine.warmUp();
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> !engine.workers().pids().isEmpty());
    }

    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    public HttpRequest.Builder request(String path, String token) {
        return HttpRequest.newBuilder(uri(path)).header("Authorization", "Bearer " + token);
    }

    public HttpResponse<String> send(HttpRequest request) {
        try {
            return http.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public HttpResponse<String> get(String path, String token) {
        return send(request(path, token).build());
    }

    /// What a request without any token gets.
    public HttpResponse<String> getAsNobody(String path) {
        return send(HttpRequest.newBuilder(uri(path)).build());
    }

    public HttpResponse<String> post(String path, String token, String body) {
        return send(request(path, token)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build());
    }

    /// Runs one statement as the admin and gives the whole answer.
    public JsonNode query(String sql) {
        return json(post("/query", ADMIN, statement(sql)));
    }

    public JsonNode raw(String sql) {
        return json(post("/query/raw", ADMIN, statement(sql)));
    }

    public static String statement(String sql) {
        return JsonMapper.shared().writeValueAsString(Map.of("sql", sql));
    }

    /// The status and the body of what `token` gets for one statement.
    public HttpResponse<String> run(String token, String sql) {
        return post("/query", token, statement(sql));
    }

    public static JsonNode json(HttpResponse<String> response) {
        return JsonMapper.shared().readTree(response.body());
    }

    @Override
    public void close() {
        http.shutdownNow();
        server.close();
        engine.close();
        plugins.close();
        alarms.close();
        store.close();
    }
}
