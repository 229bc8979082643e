package dev.perigee.replication;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.Response;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Sends events to all connected listeners, as server-sent events. A listener that reads too slowly is disconnected;
/// browsers then connect again by themselves. Safe for many threads.
///
/// @see <a href="https://html.spec.whatwg.org/multipage/server-sent-events.html">Server-sent events</a>
final class EventStream {
    /// Listeners connected at once, at most.
    static final int MAX_LISTENERS = 64;

    /// Events that may wait for one listener before it is disconnected.
    static final int MAX_WAITING = 1024;

    /// How long a connection may be silent before a comment is sent to keep it alive.
    static final Duration HEARTBEAT = Duration.ofSeconds(10);

    private static final String END = "";

    private final Set<BlockingQueue<String>> listeners = ConcurrentHashMap.newKeySet();
    private volatile boolean isClosed;

    /// Whether anybody listens, so that it is worth making an event.
    boolean isHeard() {
        return !listeners.isEmpty();
    }

    /// Sends an event to all listeners. Never blocks: a listener whose queue is full is disconnected.
    ///
    /// @param data is sent as JSON
    void publish(String event, Object data) {
        if (listeners.isEmpty()) return;
        String text = text(event, data);
        for (BlockingQueue<String> listener : listeners) {
            if (!listener.offer(text)) end(listener);
        }
    }

    /// A response that keeps sending events until the client disconnects or Perigee stops.
    ///
    /// @param first gives the data that a new listener is sent before anything else, each as an event `firstEvent`
    /// @throws dev.perigee.fault.PerigeeException [Fault#BUSY] if there are too many listeners, or Perigee is stopping
    Response response(Supplier<List<Object>> first, String firstEvent) {
        if (isClosed || listeners.size() >= MAX_LISTENERS) {
            throw Fault.BUSY.in(
                    "replication's events",
                    "there are already %d listeners, which is the limit".formatted(MAX_LISTENERS),
                    "Nothing was changed",
                    "close a connection that nobody reads, then connect again");
        }
        return new Response(
                200,
                "text/event-stream",
                Map.of("Cache-Control", "no-cache", "X-Accel-Buffering", "no"),
                out -> listen(out, first, firstEvent));
    }

    /// Disconnects all listeners and accepts no further ones.
    void close() {
        isClosed = true;
        listeners.forEach(this::end);
    }

    private void listen(OutputStream out, Supplier<List<Object>> first, String firstEvent) throws IOException {
        BlockingQueue<String> mine = new ArrayBlockingQueue<>(MAX_WAITING);
        listeners.add(mine); // before `first` is read, so that no event is lost in between
        try {
            List<String> begin = new ArrayList<>();
            first.get().forEach(data -> begin.add(text(firstEvent, data)));
            for (String event : begin) write(out, event);
            out.flush();
            while (!isClosed) {
                String event = mine.poll(HEARTBEAT.toMillis(), TimeUnit.MILLISECONDS);
                if (END.equals(event)) return;
                write(out, event == null ? ": still here\n\n" : event);
                out.flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            listeners.remove(mine);
        }
    }

    private void end(BlockingQueue<String> listener) {
        listeners.remove(listener);
        listener.clear();
        listener.add(END);
    }

    private static void write(OutputStream out, String event) throws IOException {
        out.write(event.getBytes(StandardCharsets.UTF_8));
    }

    /// The event in the format of server-sent events. The JSON has no line breaks, so the data fits on one line.
    private static String text(String event, Object data) {
        return "event: %s\ndata: %s\n\n".formatted(event, Json.MAPPER.writeValueAsString(data));
    }
}
