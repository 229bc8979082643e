package dev.perigee.serve;

import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Socket;
import dev.perigee.query.external.MemoryBudget;
import dev.perigee.statement.Caller;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One client's WebSocket. It reads no faster than its frames are handled, and sends no faster than the client reads.
///
/// Public because Jetty calls it.
public final class ClientSocket implements Socket, Session.Listener {
    /// Frames of one socket that may be in progress at once. When there are so many, no more are read.
    static final int MAX_UNDER_WAY = 16;

    /// How long a client may take to read one frame.
    private static final Duration SEND_LIMIT = Duration.ofSeconds(30);

    /// How long the upgrade may take. A socket that is not open by then has failed.
    private static final Duration OPEN_LIMIT = Duration.ofSeconds(10);

    /// Grace after a JWT's `exp`, the same as when the JWT is checked.
    private static final Duration CLOCK_SKEW = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(ClientSocket.class);

    /// Bytes of memory that a character of a frame is assumed to take, as text and in parsed form.
    private static final long COPIES = 4;

    private final Caller caller;
    private final MemoryBudget memory;
    private final LongConsumer dealtWith;
    private final Consumer<ClientSocket> onClosed;
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicBoolean isClosed = new AtomicBoolean();
    private final CompletableFuture<Session> opened = new CompletableFuture<>();
    private final long madeNanos = System.nanoTime();
    private final Object sending = new Object();
    private volatile boolean isReading = true;
    private volatile @Nullable Listener listener;

    /// @param dealtWith called when a frame has been handled, with the nanoseconds that took
    /// @param onClosed called once, when the socket has closed, or when it turns out that it will never open
    ClientSocket(Caller caller, MemoryBudget memory, LongConsumer dealtWith, Consumer<ClientSocket> onClosed) {
        this.dealtWith = dealtWith;
        this.caller = caller;
        this.memory = memory;
        this.onClosed = onClosed;
    }

    void listener(Listener given) {
        listener = given;
    }

    @Override
    public void onWebSocketOpen(Session session) {
        opened.complete(session);
        if (isClosed.get()) session.disconnect();
        else session.demand();
    }

    @Override
    public void onWebSocketText(String text) {
        if (hasExpired()) return;
        MemoryBudget.Reservation reservation = memory.reserve("A frame");
        try {
            reservation.grow(COPIES * text.length());
        } catch (PerigeeException e) {
            reservation.close();
            close(1013, "The server does not have enough memory for this frame now.");
            LOG.info("A WebSocket was closed: {}", e.getMessage());
            return;
        }
        boolean isFull = underWay.incrementAndGet() >= MAX_UNDER_WAY;
        AtomicBoolean isDone = new AtomicBoolean();
        Listener frames = listener;
        if (frames == null) throw new IllegalStateException("a frame arrived before the socket had a listener");
        long begin = System.nanoTime();
        frames.frame(text, () -> {
            if (isDone.getAndSet(true)) return;
            reservation.close();
            dealtWith.accept(System.nanoTime() - begin);
            if (underWay.getAndDecrement() == MAX_UNDER_WAY) demand();
        });
        if (!isFull) demand();
    }

    private void demand() {
        Session session = opened.getNow(null);
        if (session == null || !isReading || !session.isOpen()) return;
        session.demand();
    }

    @Override
    public void onWebSocketBinary(ByteBuffer payload, Callback callback) {
        callback.succeed();
        close(1003, "Only text frames are accepted.");
    }

    @Override
    public void onWebSocketError(Throwable cause) {
        LOG.debug("A WebSocket failed", cause);
    }

    @Override
    public void onWebSocketClose(int code, String reason, Callback callback) {
        callback.succeed();
        ended();
    }

    /// @return false if the socket is closed, or was closed just now because the client reads nothing or sending failed
    @Override
    public boolean send(String text) {
        synchronized (sending) {
            try {
                Session session = opened.get(SEND_LIMIT.toSeconds(), TimeUnit.SECONDS);
                if (isClosed.get() || !session.isOpen()) return false;
                CompletableFuture<Boolean> sent = new CompletableFuture<>();
                session.sendText(text, Callback.from(() -> sent.complete(true), sent::completeExceptionally));
                return sent.get(SEND_LIMIT.toSeconds(), TimeUnit.SECONDS);
            } catch (TimeoutException _) {
                LOG.info("A WebSocket client read nothing for {} s; it is disconnected", SEND_LIMIT.toSeconds());
                cut();
                return false;
            } catch (ExecutionException e) {
                LOG.debug("A frame could not be sent", e);
                cut();
                return false;
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                cut(); // A frame that is half sent cannot be taken back.
                return false;
            }
        }
    }

    /// Pings the client. Ends the socket if its token has expired, or if it has not opened in time.
    void ping() {
        boolean isStillborn = !opened.isDone() && System.nanoTime() - madeNanos > OPEN_LIMIT.toNanos();
        if (isStillborn) ended();
        if (hasExpired()) return;
        Session session = opened.getNow(null);
        if (session == null || !session.isOpen()) return;
        session.sendPing(ByteBuffer.wrap("perigee".getBytes(StandardCharsets.US_ASCII)), Callback.NOOP);
    }

    /// Closes the socket if the JWT that it was opened with has expired.
    ///
    /// @return whether it has expired
    private boolean hasExpired() {
        if (!(caller.claims().get("exp") instanceof Number seconds)) return false;
        if (Instant.now().getEpochSecond() < seconds.longValue() + CLOCK_SKEW.toSeconds()) return false;
        close(1008, "The token has expired.");
        return true;
    }

    boolean isBusy() {
        return underWay.get() > 0;
    }

    void stopReading() {
        isReading = false;
    }

    @Override
    public void close(int code, String reason) {
        CompletableFuture<?> _ = opened.thenAccept(session -> {
            session.close(code, reason, Callback.from(() -> {}, _ -> cut()));
        });
    }

    /// Drops the connection without a closing handshake.
    void cut() {
        Session session = opened.getNow(null);
        if (session != null) session.disconnect();
        ended();
    }

    /// To be called when the upgrade failed and the socket will never open.
    void abandon() {
        ended();
    }

    @Override
    public boolean isOpen() {
        return !isClosed.get();
    }

    private void ended() {
        if (isClosed.getAndSet(true)) return;
        Listener frames = listener;
        try {
            if (frames != null) frames.closed();
        } catch (RuntimeException e) {
            LOG.error("A plugin failed when its socket closed", e);
        } finally {
            onClosed.accept(this);
        }
    }
}
