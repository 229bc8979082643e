package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.fault.StopWait;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Watches the requests in progress. Every 200 ms its thread ends those that have taken too long, whose body arrives
/// too slowly, or whose client has disconnected. It also calls [SlowHeaders#look].
final class RequestWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RequestWatch.class);
    private static final Duration TICK = Duration.ofMillis(200);

    private final Map<Exchange, Long> running = new ConcurrentHashMap<>();
    private final Duration limit;
    private final int leastBodyBytesPerSecond;
    private final SlowHeaders heads;
    private final Thread thread;
    private volatile boolean isClosed;

    /// @param limit the longest time that a request may take
    /// @param leastBodyBytesPerSecond the least average rate of a body; a request with a slower one is ended
    RequestWatch(Duration limit, int leastBodyBytesPerSecond, SlowHeaders heads, ServingThreads threads) {
        this.leastBodyBytesPerSecond = leastBodyBytesPerSecond;
        this.limit = limit;
        this.heads = heads;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("perigee-watch")
                .unstarted(threads.repeated("request-watch", this::loop));
    }

    void start() {
        thread.start();
    }

    void add(Exchange exchange) {
        running.put(exchange, System.nanoTime());
    }

    void remove(Exchange exchange) {
        running.remove(exchange);
    }

    int running() {
        return running.size();
    }

    /// Ends event streams, which never end by themselves, and waits for the other requests. Those that are not done
    /// after `grace` are ended too.
    void drain(Duration grace) {
        running.keySet().forEach(Exchange::endIfStream);
        StopWait.until(running::isEmpty, grace);
        if (running.isEmpty()) return;
        LOG.warn("{} requests were still running after {} and are ended", running.size(), grace);
        PerigeeException reason = Fault.CLOSED.saying("The server is stopping.");
        running.keySet().forEach(exchange -> exchange.end(reason));
        // Requests notice it at their next step, so a second is plenty. A plugin that never checks must not hold us up.
        StopWait.until(running::isEmpty, Duration.ofSeconds(1));
    }

    private void loop() {
        while (!isClosed) {
            pause(TICK);
            running.forEach(this::look);
            heads.look();
        }
    }

    private void look(Exchange exchange, long since) {
        try {
            Duration ran = Duration.ofNanos(System.nanoTime() - since);
            if (ran.compareTo(TICK) < 0) return;
            if (exchange.isClientGone()) {
                if (!exchange.endIfStream()) exchange.end(Fault.CLOSED.saying("The client has disconnected."));
            } else if (exchange.isSlowBody(leastBodyBytesPerSecond)) {
                exchange.end(Fault.TIME_LIMIT.saying(
                        "The body arrived at less than %d bytes per second.".formatted(leastBodyBytesPerSecond)));
            } else if (ran.compareTo(limit) > 0 && !exchange.isUnlimited()) {
                exchange.end(Fault.TIME_LIMIT.saying("The request took longer than %s.".formatted(limit)));
            }
        } catch (RuntimeException e) {
            LOG.error("A request in progress could not be checked", e);
        }
    }

    private static void pause(Duration duration) {
        try {
            Thread.sleep(duration);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        isClosed = true;
        thread.interrupt();
    }
}
