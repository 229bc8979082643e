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

/// One client's WebSocket: reads as fast as its frames are dealt with, sends as fast as the client takes.
///
/// Public for the library that calls it.
public final class ClientSocket implements Socket, Session.Listener {
    /// Frames of one socket that may be under way; past it no more are read.
    static final int MAX_UNDER_WAY = 16;

    /// How long a client may take nothing of what it is sent.
    private static final Duration SEND_LIMIT = Duration.ofSeconds(30);

    /// How long after its request a socket is open at the latest.
    private static final Duration OPEN_LIMIT = Duration.ofSeconds(10);

    /// As a JWT is granted when it is checked.
    private static final Duration CLOCK_SKEW = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(ClientSocket.class);

    /// What a byte of a frame takes: its text, its parsed form.
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

    /// @param dealtWith called after each frame with how long it took, in nanoseconds
    /// @param onClosed called once, when the socket is closed or was never opened
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
            close(1013, "The server has no memory for this frame now.");
            LOG.info("A WebSocket was closed: {}", e.getMessage());
            return;
        }
        boolean isFull = underWay.incrementAndGet() >= MAX_UNDER_WAY;
        AtomicBoolean isDone = new AtomicBoolean();
        Listener frames = listener;
        if (frames == null) throw new IllegalStateException("a frame came before the socket was handed on");
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
        close(1003, "Only text frames are read.");
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

    /// @return false if the socket is closed, or closed now because its client takes nothing
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
                LOG.info("A WebSocket's client took nothing for {} s; it is disconnected", SEND_LIMIT.toSeconds());
                cut();
                return false;
            } catch (ExecutionException e) {
                LOG.debug("A frame could not be sent", e);
                cut();
                return false;
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                cut(); // What is half sent cannot be taken back.
                return false;
            }
        }
    }

    /// Asks the client whether it is there, and looks whether its token still holds.
    void ping() {
        boolean isStillborn = !opened.isDone() && System.nanoTime() - madeNanos > OPEN_LIMIT.toNanos();
        if (isStillborn) ended();
        if (hasExpired()) return;
        Session session = opened.getNow(null);
        if (session == null || !session.isOpen()) return;
        session.sendPing(ByteBuffer.wrap("perigee".getBytes(StandardCharsets.US_ASCII)), Callback.NOOP);
    }

    /// A JWT's time ends the socket that was opened with it.
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

    /// Ends the connection without another word.
    void cut() {
        Session session = opened.getNow(null);
        if (session != null) session.disconnect();
        ended();
    }

    /// The upgrade came to nothing.
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
