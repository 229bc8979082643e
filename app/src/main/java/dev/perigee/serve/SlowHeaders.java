package dev.perigee.serve;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.websocket.core.WebSocketConnection;

/// Ends connections on which a request's headers come too slowly. A client that sends one byte at a time never stands
/// still, and with as many connections as we take would keep everybody else out, without any token.
final class SlowHeaders implements Connection.Listener {
    /// A connection that waits for a request's headers.
    ///
    /// @param bytesBefore what had come before them
    /// @param sinceNanos when the first of them were seen; with `isBegun` false, since when it waits for them
    private record Waiting(long bytesBefore, boolean isBegun, long sinceNanos) {}

    private final Map<Connection, Waiting> waiting = new ConcurrentHashMap<>();
    /// How long a connection may wait for a request, or for its headers, while all connections are in use.
    private static final Duration FULL_LIMIT = Duration.ofSeconds(3);

    private final Duration limit;
    private final BooleanSupplier isFull;

    /// @param limit longest time from the first byte of a request to the end of its headers
    /// @param isFull whether all connections there may be are open, so that others wait for one
    SlowHeaders(Duration limit, BooleanSupplier isFull) {
        this.limit = limit;
        this.isFull = isFull;
    }

    @Override
    public void onOpened(Connection connection) {
        // A WebSocket has no headers to wait for any more.
        if (!(connection instanceof WebSocketConnection))
            waiting.put(connection, new Waiting(0, false, System.nanoTime()));
    }

    @Override
    public void onClosed(Connection connection) {
        waiting.remove(connection);
    }

    /// A request's headers are complete.
    void complete(Connection connection) {
        waiting.remove(connection);
        // What encrypts it has its own entry, which bounds the handshake only.
        if (connection.getEndPoint() instanceof SslConnection.SslEndPoint inner)
            waiting.remove(inner.getSslConnection());
    }

    /// A request is answered; to be called before the next one can be read.
    void answered(Connection connection) {
        waiting.put(connection, new Waiting(connection.getBytesIn(), false, System.nanoTime()));
    }

    /// Ends those that are too slow; while others wait for a connection, also those on which no request is under way.
    void look() {
        long now = System.nanoTime();
        boolean isCrowded = isFull.getAsBoolean();
        waiting.forEach((connection, state) -> {
            if (!connection.getEndPoint().isOpen()) {
                waiting.remove(connection);
            } else if (isCrowded && now - state.sinceNanos() > FULL_LIMIT.toNanos()) {
                connection.getEndPoint().close(new IOException("others wait for a connection"));
            } else if (state.isBegun()) {
                if (now - state.sinceNanos() > limit.toNanos()) {
                    connection.getEndPoint().close(new IOException("the headers came too slowly"));
                }
            } else if (connection.getBytesIn() > state.bytesBefore()) {
                waiting.replace(connection, state, new Waiting(state.bytesBefore(), true, now));
            }
        });
    }
}
