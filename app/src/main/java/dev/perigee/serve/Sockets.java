package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.ServingThreads;
import dev.perigee.fault.StopWait;
import dev.perigee.plugin.PluginHost.SocketHandler;
import dev.perigee.query.external.MemoryBudget;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.websocket.server.ServerWebSocketContainer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The open WebSockets. It limits their number, pings their clients, and closes them when the server stops.
final class Sockets {
    /// WebSockets that may be open at once, for all clients together.
    static final int MAX_SOCKETS = 256;

    /// The longest text frame that a client may send.
    static final int MAX_FRAME_BYTES = 256 << 10;

    /// A client from which no byte arrives for this long is taken for dead. It is pinged several times before.
    private static final Duration IDLE = Duration.ofSeconds(60);

    /// The status of the upgrade, which the audit log shows for frames: they have no status of their own.
    private static final int SWITCHING_PROTOCOLS = 101;

    private static final Duration PING = Duration.ofSeconds(20);
    /// How long clients have to answer the close frame.
    private static final Duration CLOSE_WAIT = Duration.ofSeconds(1);

    private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);

    private final ServerWebSocketContainer container;
    private final MemoryBudget memory;
    private final Optional<AuditLog> audit;
    private final Semaphore places = new Semaphore(MAX_SOCKETS);
    private final Set<ClientSocket> open = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService pings = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("perigee-pings").factory());
    private @Nullable ScheduledFuture<?> pinging;
    private volatile boolean isStopping;

    /// @param audit where admins' frames are recorded
    Sockets(
            org.eclipse.jetty.server.Server jetty,
            MemoryBudget memory,
            PrometheusRegistry metrics,
            Optional<AuditLog> audit) {
        this.audit = audit;
        this.container = ServerWebSocketContainer.ensure(jetty);
        this.memory = memory;
        container.setMaxTextMessageSize(MAX_FRAME_BYTES);
        container.setMaxFrameSize(MAX_FRAME_BYTES);
        container.setMaxBinaryMessageSize(MAX_FRAME_BYTES); // Read, to be refused with a reason.
        container.setIdleTimeout(IDLE);
        GaugeWithCallback.builder()
                .name("perigee_sockets")
                .help("Open WebSockets.")
                .callback(gauge -> gauge.call(open.size()))
                .register(metrics);
    }

    void start(ServingThreads threads) {
        pinging = pings.scheduleAtFixedRate(
                threads.step("pings", () -> open.forEach(ClientSocket::ping)),
                PING.toSeconds(),
                PING.toSeconds(),
                TimeUnit.SECONDS);
    }

    /// Upgrades a request and hands its socket to `handler`.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#BUSY] if too many WebSockets are open,
    ///     [Fault#UPGRADE_REQUIRED] if the request does not ask for an upgrade, [Fault#INVALID_REQUEST] if its
    ///     handshake is invalid, and what the handler throws
    void open(Exchange exchange, SocketHandler handler) {
        if (!"websocket".equalsIgnoreCase(exchange.header("Upgrade").orElse(""))) {
            exchange.responseHeader("Upgrade", "websocket");
            throw Fault.UPGRADE_REQUIRED.saying("This is a WebSocket: connect with ws:// or wss://.");
        }
        if (!places.tryAcquire()) throw Fault.BUSY.saying("%d WebSockets are already open.".formatted(MAX_SOCKETS));
        ClientSocket socket = new ClientSocket(exchange.caller(), memory, audit(exchange), this::closed);
        AtomicBoolean isMade = new AtomicBoolean();
        try (MemoryBudget.Reservation reservation = memory.reserve("The request")) {
            socket.listener(handler.open(new PluginRequest(exchange, new byte[0], reservation, 0), socket));
            open.add(socket);
            exchange.upgrade((request, response, callback) -> container.upgrade(
                    (_, _, _) -> {
                        isMade.set(true);
                        return socket;
                    },
                    request,
                    response,
                    callback));
        } catch (RuntimeException e) {
            // Jetty throws an HttpException for an invalid handshake.
            if (!(e instanceof HttpException wrong)) throw e;
            LOG.debug("Invalid WebSocket handshake", e);
            throw Fault.INVALID_REQUEST.saying("Invalid WebSocket handshake: " + wrong.getReason());
        } finally {
            // A handshake that we or Jetty refused never opens the socket.
            if (!isMade.get()) socket.abandon();
        }
        if (isStopping) socket.close(1001, "The server is stopping.");
    }

    /// Records each handled frame in the audit log, given the nanoseconds it took. For callers that are not audited it
    /// does nothing.
    private LongConsumer audit(Exchange exchange) {
        if (audit.isEmpty() || !exchange.isAudited()) return _ -> {};
        AuditLog log = audit.get();
        String address = exchange.address();
        String path = String.valueOf(exchange.path());
        return nanos -> log.called(
                Instant.now(), address, "FRAME", path, SWITCHING_PROTOCOLS, TimeUnit.NANOSECONDS.toMillis(nanos));
    }

    /// Stops reading frames, waits up to `grace` for those in progress, and closes all sockets.
    void drain(Duration grace) {
        isStopping = true;
        if (pinging != null) pinging.cancel(false);
        open.forEach(ClientSocket::stopReading);
        StopWait.until(() -> open.stream().noneMatch(ClientSocket::isBusy), grace);
        open.forEach(socket -> socket.close(1001, "The server is stopping."));
        StopWait.until(open::isEmpty, CLOSE_WAIT);
        if (!open.isEmpty()) LOG.info("{} WebSockets did not close in time and are disconnected", open.size());
        open.forEach(ClientSocket::cut);
        pings.shutdownNow();
    }

    private void closed(ClientSocket socket) {
        open.remove(socket);
        places.release();
    }
}
