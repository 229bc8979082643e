package dev.perigee.serve;

import dev.perigee.config.ServeConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.ServingThreads;
import dev.perigee.plugin.RouteTable;
import dev.perigee.plugin.host.PluginRegistry;
import dev.perigee.query.QueryEngine;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.BindException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The HTTP server.
///
/// Call [#start] after everything it uses is open, and [#close] before any of that is closed.
public final class Server implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Server.class);

    /// How long a connection may be idle: between requests, in the middle of a body, or while an answer is being sent.
    private static final Duration IDLE = Duration.ofSeconds(30);

    /// The paths that are accepted. A table's name may contain a slash, a percent sign or a backslash, and clients send
    /// these encoded. This is safe here: paths are split before they are decoded, and no path names a file.
    private static final UriCompliance PATHS = UriCompliance.RFC3986.with(
            "names",
            UriCompliance.Violation.AMBIGUOUS_PATH_SEPARATOR,
            UriCompliance.Violation.AMBIGUOUS_PATH_ENCODING,
            UriCompliance.Violation.SUSPICIOUS_PATH_CHARACTERS);

    private static final int MAX_HEADER_BYTES = 16 << 10;

    /// Connections that the operating system queues until we accept them.
    private static final int BACKLOG = 512;

    private static final int MAX_POOL_THREADS = 32;

    /// Selector threads, which read from the connections. They also answer point reads.
    private static final int SELECTORS = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4);

    private final ServeConfig config;
    private final org.eclipse.jetty.server.Server jetty;
    private final Optional<Encryption> encryption;
    private final ServerConnector connector;
    private final Optional<AuditLog> audit;
    private final Authentication authentication;
    private final ServingThreads threads;
    private final RequestWatch watch;
    private final Dispatcher dispatcher;
    private final Sockets sockets;
    private volatile boolean isServing;

    /// Loads Jetty's classes on another thread, while the caller opens the replica. Calling it is never necessary.
    public static void prepare() {
        Thread.ofPlatform()
                .daemon()
                .name("perigee-http-prepare")
                .start(() -> new org.eclipse.jetty.server.Server(new QueuedThreadPool(MAX_POOL_THREADS)));
    }

    /// @param metrics the registry in which the server registers its metrics
    public Server(
            ServeConfig config,
            QueryEngine engine,
            PluginRegistry plugins,
            Store store,
            Optional<Source> source,
            PrometheusRegistry metrics) {
        this.config = config;
        QueuedThreadPool pool = new QueuedThreadPool(MAX_POOL_THREADS);
        pool.setName("perigee-http");
        pool.setVirtualThreadsExecutor(VirtualThreads.getNamedVirtualThreadsExecutor("perigee-http-"));
        jetty = new org.eclipse.jetty.server.Server(pool);
        encryption = config.surface().tls().map(Encryption::new);
        connector = connector();
        authentication = new Authentication(config);
        SlowHeaders heads = new SlowHeaders(
                config.limits().requestTimeout().compareTo(IDLE) < 0
                        ? config.limits().requestTimeout()
                        : IDLE,
                () -> connections() >= config.limits().maxConnections());
        int share =
                config.surface().crowd().connectionsOfOneAddress(config.limits().maxConnections());
        if (share < config.limits().maxConnections()) connector.addEventListener(new AddressConnections(share));
        connector.addEventListener(heads);
        threads = store.threads();
        watch = new RequestWatch(
                config.limits().requestTimeout(), config.surface().crowd().minBodyBytesPerSecond(), heads, threads);

        engine.metrics().register(metrics);
        RouteTable<Endpoint> own = new RouteTable<>();
        Semaphore largeAnswers = new Semaphore(Math.max(1, store.callerReaders() - 1));
        new QueryEndpoints(engine, config.limits().maxBodyBytes(), largeAnswers).addTo(own);
        new StatusEndpoints(
                        store,
                        source,
                        plugins,
                        engine.metrics(),
                        metrics,
                        new StatusEndpoints.ServerState(this::connections, () -> isServing))
                .addTo(own);
        new Dashboard().addTo(own);
        audit = config.surface().isAudited() ? Optional.of(new AuditLog(store)) : Optional.empty();
        sockets = new Sockets(jetty, engine.memory(), metrics, audit);
        Routes routes =
                new Routes(own, plugins, engine.memory(), config.limits().maxBodyBytes(), largeAnswers, sockets);
        HttpMetrics httpMetrics = new HttpMetrics(metrics, store, this::connections);
        dispatcher = new Dispatcher(
                routes,
                authentication,
                config,
                new Dispatcher.Observers(watch, heads, httpMetrics, audit),
                new InlineReads(
                        engine,
                        authentication,
                        config.limits().maxBodyBytes(),
                        new FreshnessHeaders(config.freshnessCookie())));

        jetty.addConnector(connector);
        jetty.addBean(new NetworkConnectionLimit(config.limits().maxConnections(), connector));
        jetty.setHandler(dispatcher);
        jetty.setErrorHandler(new ErrorAnswer(new Cors(config.allowedOrigins())));
        jetty.setStopTimeout(0); // close() waits for the requests itself.
    }

    /// Starts to listen.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFIG_INVALID] if the server cannot listen on the address
    public void start() {
        try {
            connector.open();
        } catch (IOException e) {
            throw Fault.CONFIG_INVALID.in(
                    "serve on %s:%d".formatted(config.host(), config.port()),
                    e.getCause() instanceof BindException
                            ? "cannot listen on this address (%s); another program may be using the port"
                                    .formatted(e.getCause().getMessage())
                            : e.toString(),
                    "The server did not start",
                    "stop the other program, or choose another address with --host and --port or `serve.host` and `serve.port`",
                    e);
        }
        try {
            jetty.start();
        } catch (Exception e) {
            throw Fault.INTERNAL.in("HTTP server", e.toString(), "The server did not start", e);
        }
        watch.start();
        sockets.start(threads);
        encryption.ifPresent(keys -> keys.start(threads));
        isServing = true;
        LOG.info("Listening on {}://{}:{}", encryption.isPresent() ? "https" : "http", config.host(), port());
    }

    /// The port that the server listens on. If the configured port is 0, this is the one that the system chose.
    public int port() {
        return connector.getLocalPort();
    }

    /// Stops accepting requests. Frames of WebSockets in progress have `shutdownGrace` to finish, and then requests in
    /// progress have the same time again; the rest is ended. A second call does nothing.
    @Override
    public void close() {
        isServing = false;
        dispatcher.stopping();
        connector.close();
        sockets.drain(config.limits().shutdownGrace());
        watch.drain(config.limits().shutdownGrace());
        watch.close();
        try {
            jetty.stop();
        } catch (Exception e) {
            LOG.error("The HTTP server did not stop properly", e);
        }
        authentication.close();
        encryption.ifPresent(Encryption::close);
        audit.ifPresent(AuditLog::close);
    }

    private int connections() {
        return connector.getConnectedEndPoints().size();
    }

    private ServerConnector connector() {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setRequestHeaderSize(MAX_HEADER_BYTES);
        // Jetty caches a connection's headers. It would take a token for the cached one if they differ in case only.
        http.setHeaderCacheCaseSensitive(true);
        http.setUriCompliance(PATHS);
        HttpConnectionFactory plain = new HttpConnectionFactory(http);
        ServerConnector opened = encryption
                .map(keys -> {
                    // No SNI check here: HostCheck checks the host name of each request.
                    http.addCustomizer(new SecureRequestCustomizer(false));
                    return new ServerConnector(
                            jetty, 1, SELECTORS, new SslConnectionFactory(keys.context(), plain.getProtocol()), plain);
                })
                .orElseGet(() -> new ServerConnector(jetty, 1, SELECTORS, plain));
        opened.setHost(config.host());
        opened.setPort(config.port());
        opened.setIdleTimeout(IDLE.toMillis());
        opened.setAcceptQueueSize(BACKLOG);
        return opened;
    }
}
