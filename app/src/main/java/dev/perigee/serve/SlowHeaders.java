package dev.perigee.serve;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.websocket.core.WebSocketConnection;

/// Closes connections whose request headers arrive too slowly (slowloris). Idle timeouts do not catch them, because a
/// client that sends one byte at a time is never idle. Such a client could occupy all connections without any token.
final class SlowHeaders implements Connection.Listener {
    /// A connection that waits for a request's headers.
    ///
    /// @param bytesBefore bytes that the connection had received before these headers
    /// @param isBegun whether a byte of the headers has been seen
    /// @param sinceNanos when the first byte of the headers was seen; before that, when the connection began to wait
    private record Waiting(long bytesBefore, boolean isBegun, long sinceNanos) {}

    private final Map<Connection, Waiting> waiting = new ConcurrentHashMap<>();
    /// How long a connection may wait for a request, or for its headers, while all connections are in use.
    private static final Duration FULL_LIMIT = Duration.ofSeconds(3);

    private final Duration limit;
    private final BooleanSupplier isFull;

    /// @param limit the longest time from the first byte of a request to the end of its headers
    /// @param isFull whether as many connections are open as may be, so that other clients wait for one
    SlowHeaders(Duration limit, BooleanSupplier isFull) {
        this.limit = limit;
        this.isFull = isFull;
    }

    @Override
    public void onOpened(Connection connection) {
        // A WebSocket gets no more request headers.
        if (!(connection instanceof WebSocketConnection))
            waiting.put(connection, new Waiting(0, false, System.nanoTime()));
    }

    @Override
    public void onClosed(Connection connection) {
        waiting.remove(connection);
    }

    /// To be called when the headers of a request are complete.
    void complete(Connection connection) {
        waiting.remove(connection);
        // The TLS connection around it has an entry of its own, which limits only the handshake.
        if (connection.getEndPoint() instanceof SslConnection.SslEndPoint inner)
            waiting.remove(inner.getSslConnection());
    }

    /// To be called when a request has been answered, before the next one can be read.
    void answered(Connection connection) {
        waiting.put(connection, new Waiting(connection.getBytesIn(), false, System.nanoTime()));
    }

    /// Closes the connections that are too slow. While all connections are in use, also closes those that have waited
    /// for a request, or for its headers, for three seconds.
    void look() {
        long now = System.nanoTime();
        boolean isCrowded = isFull.getAsBoolean();
        waiting.forEach((connection, state) -> {
            if (!connection.getEndPoint().isOpen()) {
                waiting.remove(connection);
            } else if (isCrowded && now - state.sinceNanos() > FULL_LIMIT.toNanos()) {
                connection.getEndPoint().close(new IOException("other clients wait for a connection"));
            } else if (state.isBegun()) {
                if (now - state.sinceNanos() > limit.toNanos()) {
                    connection.getEndPoint().close(new IOException("the headers arrived too slowly"));
                }
            } else if (connection.getBytesIn() > state.bytesBefore()) {
                waiting.replace(connection, state, new Waiting(state.bytesBefore(), true, now));
            }
        });
    }
}
