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

/// Limits the open connections of each address (of IPv6: of each /64), so that one address cannot use up all of them. A
/// connection above the limit is closed as soon as it is open.
final class AddressConnections implements Connection.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(AddressConnections.class);

    private final Map<String, Integer> open = new ConcurrentHashMap<>();

    /// The address of each open connection. A closed connection no longer knows its own.
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
        LOG.debug("A connection from {} is closed: this address already has {}", source.get(), most);
        connection.getEndPoint().close(new IOException("too many connections from one address"));
    }

    @Override
    public void onClosed(Connection connection) {
        String source = sources.remove(connection);
        if (source != null) open.computeIfPresent(source, (_, count) -> count > 1 ? count - 1 : null);
    }

    /// The client's address. Empty for a connection inside another one, such as HTTP inside TLS: only the outer one
    /// counts.
    private static Optional<String> source(Connection connection) {
        return connection.getEndPoint() instanceof SocketChannelEndPoint endPoint
                        && endPoint.getRemoteSocketAddress() instanceof InetSocketAddress peer
                        && peer.getAddress() != null
                ? Optional.of(WrongTokens.network(peer.getAddress()))
                : Optional.empty();
    }
}
