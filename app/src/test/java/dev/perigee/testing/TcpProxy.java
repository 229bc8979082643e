package dev.perigee.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;

/// A network between a client and a server on this machine that fails when it is told to.
public final class TcpProxy implements AutoCloseable {
    /// What happens to connections once the server has sent as many bytes as were let through.
    public enum Fault {
        /// Closed in order, as by a server that stops.
        CLOSE,
        /// Reset, as by a router that forgot the connection.
        RESET,
        /// Nothing more arrives, and nobody says why.
        BLACK_HOLE
    }

    private final Listener listener;
    private volatile int serverPort;
    private final AtomicInteger accepted = new AtomicInteger();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicInteger roundTrips = new AtomicInteger();
    private volatile Fault fault = Fault.CLOSE;
    private volatile long limit = Long.MAX_VALUE;
    private volatile IntSupplier processes = () -> 0;

    /// To a server on the loopback address.
    public TcpProxy(int serverPort) {
        this.serverPort = serverPort;
        this.listener = new Listener(this::serve);
    }

    public int port() {
        return listener.port();
    }

    /// Leads new connections to another server, and closes those there are.
    public void leadTo(int otherPort) {
        serverPort = otherPort;
        listener.open().forEach(listener::close);
    }

    /// Tells each client another process number at its login than the server's own, as transaction poolers do; 0 keeps
    /// the server's.
    public void inventing(IntSupplier processNumbers) {
        processes = processNumbers;
    }

    /// Connections clients have made so far.
    public int accepted() {
        return accepted.get();
    }

    /// Bytes the server has sent to clients so far, over all connections.
    public long sent() {
        return sent.get();
    }

    /// How often clients have sent something after the server's last answer, over all connections.
    public int roundTrips() {
        return roundTrips.get();
    }

    /// Lets the server send `bytes` more, over all connections, then fails them all.
    public void failAfter(long bytes, Fault how) {
        fault = how;
        limit = sent.get() + bytes;
    }

    /// New connections work again; those that failed stay so.
    public void heal() {
        limit = Long.MAX_VALUE;
    }

    @Override
    public void close() {
        listener.close();
    }

    private void serve(Socket client) throws IOException {
        accepted.incrementAndGet();
        Socket server = listener.connect(serverPort);
        AtomicBoolean isAnswered = new AtomicBoolean(true);
        Thread.ofVirtual().start(() -> forward(server, client, true, isAnswered));
        forward(client, server, false, isAnswered);
    }

    private void forward(Socket from, Socket to, boolean isCounted, AtomicBoolean isAnswered) {
        byte[] buffer = new byte[8192];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                if (isCounted) isAnswered.set(true);
                else if (isAnswered.getAndSet(false)) roundTrips.incrementAndGet();
                long free = isCounted ? limit - sent.get() : Long.MAX_VALUE;
                int passed = (int) Math.min(length, Math.max(0, free));
                if (isCounted) sent.addAndGet(passed); // first: the client may ask as soon as it has them
                if (isCounted) invent(buffer, passed);
                out.write(buffer, 0, passed);
                if (passed < length) {
                    fail(to);
                    break;
                }
            }
            if (!isCounted || fault != Fault.BLACK_HOLE || sent.get() < limit) end(from, to);
        } catch (IOException e) {
            end(from, to);
        }
    }

    /// BackendKeyData, which the end of the login follows.
    private void invent(byte[] buffer, int length) {
        ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, length);
        for (int at = 0; at + 18 <= length; at++) {
            boolean isKey = buffer[at] == 'K' && bytes.getInt(at + 1) == 12;
            if (!isKey || buffer[at + 13] != 'Z' || bytes.getInt(at + 14) != 5) continue;
            int invented = processes.getAsInt();
            if (invented != 0) bytes.putInt(at + 5, invented);
            return;
        }
    }

    private void fail(Socket client) throws IOException {
        if (fault == Fault.RESET) client.setOption(StandardSocketOptions.SO_LINGER, 0);
    }

    private void end(Socket from, Socket to) {
        listener.close(from);
        listener.close(to);
    }
}
