package dev.perigee.source.postgres.session;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.Map;
import javax.net.SocketFactory;
import jdk.net.ExtendedSocketOptions;

/// Sockets that notice within about a minute that the other side is gone. The system's default is two hours.
///
/// A statement without a time limit has no socket timeout either, so nothing else would end the wait for a server whose
/// network disappeared. pgjdbc creates this class by its name, and it is public only for that.
public final class KeepAliveSockets extends SocketFactory {
    private static final Map<SocketOption<Integer>, Integer> PROBES = Map.of(
            ExtendedSocketOptions.TCP_KEEPIDLE, 30,
            ExtendedSocketOptions.TCP_KEEPINTERVAL, 10,
            ExtendedSocketOptions.TCP_KEEPCOUNT, 3);

    @Override
    public Socket createSocket() throws IOException {
        Socket socket = new Socket();
        for (Map.Entry<SocketOption<Integer>, Integer> probe : PROBES.entrySet()) {
            // Not every system has them.
            if (socket.supportedOptions().contains(probe.getKey())) socket.setOption(probe.getKey(), probe.getValue());
        }
        socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port) {
        throw new IllegalStateException("pgjdbc connects its sockets itself");
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) {
        throw new IllegalStateException("pgjdbc connects its sockets itself");
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
        throw new IllegalStateException("pgjdbc connects its sockets itself");
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort) {
        throw new IllegalStateException("pgjdbc connects its sockets itself");
    }
}
