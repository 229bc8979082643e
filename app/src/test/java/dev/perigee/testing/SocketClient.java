package dev.perigee.testing;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A WebSocket client that keeps what it is sent.
public final class SocketClient implements WebSocket.Listener, AutoCloseable {
    private final StringBuilder partial = new StringBuilder();
    private final BlockingQueue<String> frames = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> closed = new CompletableFuture<>();
    private final WebSocket socket;
    private final HttpClient http = HttpClient.newHttpClient();

    private SocketClient(URI uri, UnaryOperator<WebSocket.Builder> more) {
        socket = more.apply(http.newWebSocketBuilder().connectTimeout(Duration.ofSeconds(10)))
                .buildAsync(uri, this)
                .join();
    }

    public static SocketClient connect(int port, String path, @Nullable String token) {
        return new SocketClient(
                URI.create("ws://127.0.0.1:" + port + path),
                builder -> token == null ? builder : builder.header("Authorization", "Bearer " + token));
    }

    public static SocketClient connect(int port, String path, UnaryOperator<WebSocket.Builder> more) {
        return new SocketClient(URI.create("ws://127.0.0.1:" + port + path), more);
    }

    public void send(String frame) {
        socket.sendText(frame, true).join();
    }

    public void sendBinary(byte[] bytes) {
        socket.sendBinary(java.nio.ByteBuffer.wrap(bytes), true).join();
    }

    /// Sends a ping.
    public void ping() {
        socket.sendPing(java.nio.ByteBuffer.wrap(new byte[] {1})).join();
    }

    public String next() {
        try {
            String frame = frames.poll(60, TimeUnit.SECONDS);
            if (frame == null) throw new AssertionError("no frame came; closed: " + closed.getNow(null));
            return frame;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public String ask(String frame) {
        send(frame);
        return next();
    }

    /// What came and nobody has taken yet.
    public int waiting() {
        return frames.size();
    }

    public int closeCode() throws Exception {
        return closed.get(60, TimeUnit.SECONDS);
    }

    public boolean isClosed() {
        return closed.isDone();
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
        partial.append(data);
        if (last) {
            frames.add(partial.toString());
            partial.setLength(0);
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
        closed.complete(code);
        return null;
    }

    @Override
    public void onError(WebSocket from, Throwable error) {
        closed.complete(1006);
    }

    @Override
    public void close() {
        socket.abort();
        http.shutdownNow();
    }
}
