package dev.perigee.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Iterator;
import java.util.function.LongFunction;

/// Many connections to one server, each with one request under way at any time, on one thread: it takes as little of
/// the machine as it can, because the server under measure needs the rest.
///
/// It reads answers with `Content-Length` only, which is what all contenders send for a small answer.
final class HttpLoad {
    private static final int BUFFER_BYTES = 64 << 10;
    private static final int MAX_SAMPLES = 20_000_000;
    private static final byte[] LENGTH = "content-length:".getBytes(StandardCharsets.US_ASCII);

    /// @param perSecond answers in each second, on average
    /// @param p50Micros median time from a request's first byte to its answer's last, in microseconds
    /// @param p99Micros what 99 of 100 answers took at most, in microseconds
    record Figures(double perSecond, double p50Micros, double p99Micros) {}

    private static final class Connection {
        final SocketChannel channel;
        final ByteBuffer answer = ByteBuffer.allocate(BUFFER_BYTES);
        long sentNanos;

        Connection(SocketChannel channel) {
            this.channel = channel;
        }
    }

    private final InetSocketAddress server;
    private final LongFunction<byte[]> requests;
    private long[] samples = new long[1 << 16];
    private int sampleCount;
    private long sent;

    /// @param requests the bytes of the n-th request
    HttpLoad(int port, LongFunction<byte[]> requests) {
        this.server = new InetSocketAddress("127.0.0.1", port);
        this.requests = requests;
    }

    /// Sends requests for `warmUp`, which do not count, then for `measured`, which do.
    ///
    /// @throws IOException if an answer is not 200, or a connection ends
    Figures run(int connections, Duration warmUp, Duration measured) throws IOException {
        try (Selector selector = Selector.open()) {
            for (int i = 0; i < connections; i++) {
                SocketChannel channel = SocketChannel.open(server);
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                channel.configureBlocking(false);
                Connection connection = new Connection(channel);
                channel.register(selector, SelectionKey.OP_READ, connection);
                send(connection);
            }
            drive(selector, warmUp);
            sampleCount = 0;
            long begin = System.nanoTime();
            drive(selector, measured);
            double seconds = (System.nanoTime() - begin) / 1e9;
            for (SelectionKey key : selector.keys()) key.channel().close();
            long[] sorted = Arrays.copyOf(samples, sampleCount);
            Arrays.sort(sorted);
            return new Figures(sampleCount / seconds, quantile(sorted, 0.50), quantile(sorted, 0.99));
        }
    }

    private void drive(Selector selector, Duration time) throws IOException {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            selector.select(100);
            for (Iterator<SelectionKey> keys = selector.selectedKeys().iterator(); keys.hasNext(); ) {
                Connection connection = (Connection) keys.next().attachment();
                keys.remove();
                receive(connection);
            }
        }
    }

    private void receive(Connection connection) throws IOException {
        if (connection.channel.read(connection.answer) < 0) throw new IOException("the server closed a connection");
        int total = length(connection.answer);
        if (total < 0 || connection.answer.position() < total) return;
        if (connection.answer.get(9) != '2') {
            throw new IOException(
                    "the server answered " + new String(connection.answer.array(), 0, total, StandardCharsets.UTF_8));
        }
        sample(System.nanoTime() - connection.sentNanos);
        connection.answer.clear();
        send(connection);
    }

    private void send(Connection connection) throws IOException {
        ByteBuffer request = ByteBuffer.wrap(requests.apply(sent++));
        connection.sentNanos = System.nanoTime();
        while (request.hasRemaining()) connection.channel.write(request);
    }

    private void sample(long nanos) {
        if (sampleCount == MAX_SAMPLES) throw new IllegalStateException("more answers than are counted");
        if (sampleCount == samples.length) samples = Arrays.copyOf(samples, Math.min(MAX_SAMPLES, 2 * sampleCount));
        samples[sampleCount++] = nanos;
    }

    /// Bytes of the answer with its head, -1 while the head is not complete.
    private static int length(ByteBuffer answer) {
        byte[] bytes = answer.array();
        int end = answer.position();
        int bodyBytes = 0;
        for (int i = 0; i + 3 < end; i++) {
            if (bytes[i] != '\r' || bytes[i + 1] != '\n') continue;
            if (bytes[i + 2] == '\r') return i + 4 + bodyBytes;
            if (startsWithLength(bytes, i + 2, end)) bodyBytes = number(bytes, i + 2 + LENGTH.length, end);
        }
        return -1;
    }

    private static boolean startsWithLength(byte[] bytes, int from, int end) {
        if (from + LENGTH.length > end) return false;
        for (int i = 0; i < LENGTH.length; i++) {
            if ((bytes[from + i] | 0x20) != (LENGTH[i] | 0x20)) return false;
        }
        return true;
    }

    private static int number(byte[] bytes, int from, int end) {
        int number = 0;
        for (int i = from; i < end && bytes[i] != '\r'; i++) {
            if (bytes[i] != ' ') number = 10 * number + bytes[i] - '0';
        }
        return number;
    }

    private static double quantile(long[] sorted, double part) {
        return sorted.length == 0 ? 0 : sorted[(int) (part * (sorted.length - 1))] / 1000.0;
    }
}
