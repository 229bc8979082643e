package dev.perigee.bundled.socket;

import dev.perigee.fault.ServingThreads;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.StarbasePlugin;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// `GET /socket`: statements as frames of a WebSocket, many running at once.
public final class SocketPlugin extends StarbasePlugin {
    /// Longest time a frame's statements may take: the default limit of HTTP requests.
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Duration TICK = Duration.ofMillis(200);

    private final Set<RunningFrame> running = ConcurrentHashMap.newKeySet();
    private final AnswerBudget places = new AnswerBudget();
    private @Nullable ScheduledExecutorService watch;
    private @Nullable ServingThreads threads;

    public SocketPlugin() {
        super("starbasedb:websocket", true, "/socket");
    }

    @Override
    public void register(PluginHost host) {
        ServingThreads supervised = host.store().threads();
        threads = supervised;
        host.socket(
                "",
                Access.CLIENT,
                (request, socket) -> new Conversation(request, socket, host.queries(), places, running, supervised));
    }

    @Override
    public void start() {
        Runnable look = () -> running.forEach(frame -> frame.endIfOver(LIMIT));
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("perigee-socket-watch").factory());
        watch = started;
        // An interrupt between two steps is lost, so the check is repeated until the statement has ended.
        var _ = started.scheduleAtFixedRate(
                threads == null ? look : threads.step("socket-watch", look),
                TICK.toMillis(),
                TICK.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        if (watch != null) watch.shutdownNow();
    }
}
