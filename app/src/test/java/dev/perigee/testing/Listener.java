package dev.perigee.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Accepts connections on a free port of the loopback address, for programs that stand between a client and a server,
/// and closes the connections of both sides when it is closed.
final class Listener implements AutoCloseable {
    /// Serves one client, on a virtual thread of its own.
    @FunctionalInterface
    interface Service {
        void serve(Socket client) throws IOException;
    }

    private final ServerSocket socket;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    Listener(Service service) {
        try {
            this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(() -> accept(service));
    }

    int port() {
        return socket.getLocalPort();
    }

    /// A connection to a server on the loopback address, closed with this.
    Socket connect(int serverPort) throws IOException {
        Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
        open.add(server);
        return server;
    }

    /// The connections of both sides that have not been closed.
    Set<Socket> open() {
        return open;
    }

    void close(Socket one) {
        open.remove(one);
        try {
            one.close();
        } catch (IOException e) {
            // It has gone.
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        open.forEach(this::close);
    }

    private void accept(Service service) {
        while (!socket.isClosed()) {
            try {
                Socket client = socket.accept();
                open.add(client);
                Thread.ofVirtual().start(() -> {
                    try {
                        service.serve(client);
                    } catch (IOException e) {
                        close(client); // The server takes no connection.
                    }
                });
            } catch (IOException e) {
                // It is closed.
            }
        }
    }
}
