package dev.perigee.serve;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Bounds the connections of one address, for IPv6 of one /64, so that no address can hold all there are. One past the
/// bound is closed as soon as it is open.
final class AddressConnections implements Connection.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(AddressConnections.class);

    private final Map<String, Integer> open = new ConcurrentHashMap<>();

    /// Where each connection comes from: a connection that is closed no longer knows.
    private final Map<Connection, String> sources = new ConcurrentHashMap<>();

    private final int most;

    AddressConnections(int most) {
        this.most = most;
    }

    @Override
    public void onOpened(Connection connection) {
        Optional<String> source = source(connection);
        if (source.isEmpty()) return;
        sources.put(connection, source.get());
        int count = open.merge(source.get(), 1, Integer::sum);
        if (count <= most) return;
        LOG.debug("A connection of {} is closed: it has {} already", source.get(), most);
        connection.getEndPoint().close(new IOException("too many connections of one address"));
    }

    @Override
    public void onClosed(Connection connection) {
        String source = sources.remove(connection);
        if (source != null) open.computeIfPresent(source, (_, count) -> count > 1 ? count - 1 : null);
    }

    /// Empty for what runs inside another connection, as HTTP does inside TLS.
    private static Optional<String> source(Connection connection) {
        return connection.getEndPoint() instanceof SocketChannelEndPoint endPoint
                        && endPoint.getRemoteSocketAddress() instanceof InetSocketAddress peer
                        && peer.getAddress() != null
                ? Optional.of(WrongTokens.network(peer.getAddress()))
                : Optional.empty();
    }
}
