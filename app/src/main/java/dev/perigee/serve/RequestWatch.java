package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks after the requests under way: ends those whose time is over and those whose client has gone away.
final class RequestWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RequestWatch.class);
    private static final Duration TICK = Duration.ofMillis(200);

    private final Map<Exchange, Long> running = new ConcurrentHashMap<>();
    private final Duration limit;
    private final int leastBodyBytesPerSecond;
    private final SlowHeaders heads;
    private final Thread thread;
    private volatile boolean isClosed;

    /// @param limit longest time a request may take
    /// @param leastBodyBytesPerSecond on average; a request whose body comes more slowly is ended
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

    /// Ends what never ends by itself, then waits for the rest; what is not done after `grace` is ended too.
    void drain(Duration grace) {
        running.keySet().forEach(Exchange::endIfStream);
        long end = System.nanoTime() + grace.toNanos();
        while (!running.isEmpty() && System.nanoTime() < end) pause(Duration.ofMillis(10));
        if (running.isEmpty()) return;
        LOG.warn("{} requests were not done after {} and are ended", running.size(), grace);
        PerigeeException reason = Fault.CLOSED.saying("The server stops.");
        running.keySet().forEach(exchange -> exchange.end(reason));
        // They see it at their next step; a second is plenty, and a plugin that does not look cannot hold us up.
        end = System.nanoTime() + Duration.ofSeconds(1).toNanos();
        while (!running.isEmpty() && System.nanoTime() < end) pause(Duration.ofMillis(10));
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
                if (!exchange.endIfStream()) exchange.end(Fault.CLOSED.saying("The client has gone away."));
            } else if (exchange.isSlowBody(leastBodyBytesPerSecond)) {
                exchange.end(Fault.TIME_LIMIT.saying(
                        "The body came with less than %d bytes a second.".formatted(leastBodyBytesPerSecond)));
            } else if (ran.compareTo(limit) > 0 && !exchange.isUnlimited()) {
                exchange.end(Fault.TIME_LIMIT.saying("The request took longer than %s.".formatted(limit)));
            }
        } catch (RuntimeException e) {
            LOG.error("A request under way could not be looked at", e);
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
