package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.QueryBody;
import dev.perigee.plugin.RouteTable;
import dev.perigee.plugin.Upload;
import dev.perigee.query.external.MemoryBudget;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.JsonNode;

/// One request and its answer, for the thread that handles it; [RequestWatch] looks at it from outside.
final class Exchange {
    /// What the handling thread waits for, and so what helps when it has to end.
    enum Phase {
        /// The client's body.
        READING,
        /// SQLite, the source, a plugin.
        WORKING,
        /// The client to take what was sent.
        SENDING,
        DONE
    }

    private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);

    /// How long a request may take until its body's rate counts.
    private static final Duration BODY_GRACE = Duration.ofSeconds(5);

    private static final int BODY_CHUNK_BYTES = 16 << 10;

    /// A body that is too large is read on so far before it is refused, so that a client that sends first and reads
    /// later hears of it.
    private static final long DRAIN_BYTES = 64L << 20;

    /// What a node of a JSON tree takes, with its place in the one above.
    private static final long NODE_BYTES = 100;

    /// Whoever answers a request that is no longer one of HTTP.
    @FunctionalInterface
    interface Upgrade {
        /// @return false if the request asks for no upgrade
        boolean to(Request request, Response response, Callback callback);
    }

    private final Request request;
    private final Response response;
    private final Callback callback;
    private final byte[] taken;
    private final Cancellation cancellation = new Cancellation();
    private final Map<String, String> pathParameters;
    private Caller caller = Caller.NOBODY;
    private @Nullable Fields query;
    private @Nullable Thread streamingThread;
    private volatile boolean isUnlimited;
    private Phase phase = Phase.READING;
    private boolean isSwallowed;
    private boolean isUpgraded;
    private boolean isAudited;
    private RequestSlots.@Nullable Place place;
    private final long bytesBefore;

    /// When the body began to be read; 0 before.
    private volatile long readingSinceNanos;

    /// @param taken the beginning of the body, which has been read already
    Exchange(Request request, Response response, Callback callback, byte[] taken, Map<String, String> pathParameters) {
        this.taken = taken;
        this.request = request;
        this.response = response;
        this.callback = callback;
        this.pathParameters = pathParameters;
        this.bytesBefore = connection().getBytesIn();
    }

    /// Gives the request its place among those that run, now or once its body is read: a body that comes slowly keeps
    /// nobody else out.
    ///
    /// @throws PerigeeException [Fault#BUSY] if there is none
    void place(RequestSlots.Place given) {
        place = given;
        if (!hasBody()) given.take();
    }

    void leavePlace() {
        if (place != null) place.leave();
    }

    private boolean hasBody() {
        return request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING) || request.getLength() > 0;
    }

    /// Whether the body is being read, and fewer bytes of it have come than the least rate asks for.
    boolean isSlowBody(int leastBytesPerSecond) {
        synchronized (this) {
            if (phase != Phase.READING || readingSinceNanos == 0) return false;
        }
        long counted = Duration.ofNanos(System.nanoTime() - readingSinceNanos)
                .minus(BODY_GRACE)
                .toSeconds();
        long bytes = connection().getBytesIn() - bytesBefore + taken.length;
        return counted > 0 && hasBody() && bytes < counted * leastBytesPerSecond;
    }

    String method() {
        return request.getMethod();
    }

    /// As it was sent, percent-encoded.
    String path() {
        return request.getHttpURI().getPath();
    }

    /// For people and plugins; routes are matched before decoding.
    String decodedPath() {
        return RouteTable.decoded(String.valueOf(path()));
    }

    Caller caller() {
        return caller;
    }

    void caller(Caller found) {
        caller = found;
    }

    String address() {
        return Request.getRemoteAddr(request);
    }

    boolean isEncrypted() {
        return request.isSecure()
                || header("X-Forwarded-Proto").filter("https"::equalsIgnoreCase).isPresent();
    }

    void audited() {
        isAudited = true;
    }

    /// Whether it is an admin's call, by its token or in a way that a plugin knows.
    boolean isAudited() {
        return isAudited || caller.isAdmin();
    }

    Map<String, String> pathParameters() {
        return pathParameters;
    }

    Cancellation cancellation() {
        return cancellation;
    }

    Optional<String> header(String name) {
        return Optional.ofNullable(request.getHeaders().get(name));
    }

    Optional<String> query(String name) {
        return Optional.ofNullable(queryFields().getValue(name));
    }

    Map<String, List<String>> queryParameters() {
        Map<String, List<String>> parameters = new LinkedHashMap<>();
        for (Fields.Field field : queryFields()) parameters.put(field.getName(), field.getValues());
        return parameters;
    }

    private Fields queryFields() {
        if (request.getHttpURI().getQuery() == null) return Fields.EMPTY;
        Fields fields = query;
        if (fields == null) {
            try {
                fields = Request.extractQueryParameters(request);
            } catch (RuntimeException _) {
                throw Fault.INVALID_REQUEST.saying("The query string is not valid percent-encoded UTF-8.");
            }
            query = fields;
        }
        return fields;
    }

    /// The whole body.
    ///
    /// @param memory holds what the body takes
    /// @throws PerigeeException [Fault#TOO_LARGE] past `maxBytes`, [Fault#INVALID_REQUEST] where it breaks off
    byte[] body(long maxBytes, MemoryBudget.Reservation memory) {
        readingSinceNanos = System.nanoTime();
        try (InputStream in = bodyStream()) {
            long declared = request.getLength();
            if (declared == 0) {
                if (place != null) place.take();
                return new byte[0];
            }
            ByteArrayOutputStream body = new ByteArrayOutputStream(Math.clamp(declared, 512, BODY_CHUNK_BYTES));
            byte[] chunk = new byte[Math.clamp(declared < 0 ? BODY_CHUNK_BYTES : declared, 1, BODY_CHUNK_BYTES)];
            long total = 0;
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                total += read;
                if (total > maxBytes || declared > maxBytes) {
                    if (total > maxBytes + DRAIN_BYTES) break;
                    continue;
                }
                memory.grow(3L * read); // The growing copy, the last copy, and what is parsed from it.
                body.write(chunk, 0, read);
            }
            if (total > maxBytes || declared > maxBytes) {
                throw Fault.TOO_LARGE.saying("The body has more than %d bytes.".formatted(maxBytes));
            }
            if (place != null) place.take();
            return body.toByteArray();
        } catch (IOException e) {
            LOG.debug("A body could not be read", e);
            throw Fault.INVALID_REQUEST.saying("The body could not be read to its end.");
        } finally {
            phase(Phase.WORKING);
        }
    }

    private InputStream bodyStream() {
        InputStream rest = Content.Source.asInputStream(request);
        return taken.length == 0 ? rest : new SequenceInputStream(new ByteArrayInputStream(taken), rest);
    }

    /// The body, or a file of it, on the disk.
    Upload upload(String field, Path folder, long maxBytes) {
        if (place != null) place.take();
        readingSinceNanos = System.nanoTime();
        phase(Phase.READING);
        try {
            return UploadedBody.read(request, field, folder, maxBytes);
        } catch (PerigeeException e) {
            // What is left of a body that could not be read would be taken for the next request.
            response.getHeaders().put(HttpHeader.CONNECTION, "close");
            throw e;
        } finally {
            phase(Phase.WORKING);
        }
    }

    /// That the request has a JSON body by its content type.
    void requireJson() {
        String type = header("Content-Type").orElse("");
        int end = type.indexOf(';');
        if (!(end < 0 ? type : type.substring(0, end)).strip().equalsIgnoreCase("application/json")) {
            throw Fault.INVALID_REQUEST.saying("Content-Type must be application/json.");
        }
    }

    /// The body as a tree. Its nodes may take many times the memory of their text, so they are counted before any is
    /// made.
    static JsonNode json(byte[] body, MemoryBudget.Reservation memory) {
        try {
            memory.grow(NODE_BYTES * tokens(body));
            return Json.MAPPER.readTree(body);
        } catch (JacksonException e) {
            throw QueryBody.notJson(e);
        }
    }

    private static long tokens(byte[] body) {
        long count = 0;
        try (JsonParser parser = Json.MAPPER.createParser(body)) {
            while (parser.nextToken() != null) count++;
        }
        return count;
    }

    void status(int status, String contentType) {
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
    }

    void responseHeader(String name, String value) {
        response.getHeaders().put(name, value);
    }

    void contentLength(long length) {
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, length);
    }

    boolean isCommitted() {
        return response.isCommitted();
    }

    /// Sends bytes and waits until the client has taken them, or the connection's buffers have.
    void write(boolean isLast, ByteBuffer bytes) throws IOException {
        phase(Phase.SENDING);
        Content.Sink.write(response, isLast, bytes);
        // After the end nobody looks any more: a byte that comes now is of the next request, or of a body nobody read.
        phase(isLast ? Phase.DONE : Phase.WORKING);
    }

    /// Begins to send a whole answer; nobody waits for the client.
    ///
    /// @param sent told once, when the client has taken it or is gone
    void send(ByteBuffer body, Callback sent) {
        status(200, "application/json");
        contentLength(body.remaining());
        phase(Phase.SENDING);
        response.write(true, body, sent);
    }

    /// Sends a whole answer.
    void answer(int status, String contentType, byte[] body) throws IOException {
        closeIfBodyIsLeft();
        status(status, contentType);
        contentLength(body.length);
        write(true, ByteBuffer.wrap(body));
    }

    /// Sends `{"error": message}`.
    void error(int status, String message) throws IOException {
        answer(status, "application/json", Json.MAPPER.writeValueAsBytes(Map.of("error", message)));
    }

    /// Sends an answer without a body.
    void empty(int status) throws IOException {
        closeIfBodyIsLeft();
        response.setStatus(status);
        write(true, ByteBuffer.allocate(0));
    }

    /// A request is often refused before its body is there. The connection ends with the answer then, and the client
    /// has to be told, else it sends its next request into nothing.
    private void closeIfBodyIsLeft() {
        if (!request.consumeAvailable()) response.getHeaders().put(HttpHeader.CONNECTION, "close");
    }

    /// Sends `{"result": value}`.
    void result(Object value) throws IOException {
        answer(200, "application/json", Json.MAPPER.writeValueAsBytes(Map.of("result", value)));
    }

    /// Leaves the request and its callback to `upgrade`, for good, unless it finds no upgrade asked for.
    void upgrade(Upgrade upgrade) {
        synchronized (this) {
            phase = Phase.DONE; // From here on nobody but the upgraded connection reads from it.
        }
        isUpgraded = upgrade.to(request, response, callback);
        if (!isUpgraded) throw Fault.INVALID_REQUEST.saying("The WebSocket's handshake is not one.");
    }

    boolean isUpgraded() {
        return isUpgraded;
    }

    /// A plugin's own work bounds its time itself.
    void unlimited() {
        isUnlimited = true;
    }

    /// The time limit of requests holds again.
    void limited() {
        isUnlimited = false;
    }

    boolean isUnlimited() {
        return isUnlimited;
    }

    /// The answer is a stream of events: it may take any time, and its thread is interrupted when it has to end.
    synchronized void isStream() {
        streamingThread = Thread.currentThread();
    }

    synchronized boolean endIfStream() {
        Thread thread = streamingThread;
        if (thread == null || phase == Phase.DONE) return false;
        thread.interrupt();
        if (phase == Phase.SENDING) disconnect("the stream was ended");
        return true;
    }

    private synchronized void phase(Phase next) {
        if (phase != Phase.DONE) phase = next;
    }

    /// Nothing of this request is looked at any more. The connection closes if a look at it took a byte of the next.
    synchronized boolean done() {
        phase = Phase.DONE;
        streamingThread = null;
        return isSwallowed;
    }

    /// Ends the request: a statement by interrupt, so that an error can be answered; else by closing the connection.
    synchronized void end(PerigeeException reason) {
        switch (phase) {
            case WORKING -> {
                cancellation.cancel(reason);
                if (response.isCommitted()) disconnect(reason.getMessage());
            }
            case READING, SENDING -> {
                cancellation.cancel(reason);
                disconnect(reason.getMessage());
            }
            case DONE -> {}
        }
    }

    /// Looks whether the client has closed its connection while we work for it; Jetty does not read from a connection
    /// while it is being answered. A client that sends its next request early has that byte taken here, so its
    /// connection closes after this answer; such a client has to expect that.
    synchronized boolean isClientGone() {
        if (phase != Phase.WORKING) return false;
        EndPoint endPoint = endPoint();
        if (!endPoint.isOpen() || endPoint.isInputShutdown()) return true;
        if (isSwallowed) return false;
        ByteBuffer one = ByteBuffer.allocate(1).limit(0);
        try {
            int read = endPoint.fill(one);
            isSwallowed = read > 0;
            return read < 0;
        } catch (IOException _) {
            return true;
        }
    }

    private void disconnect(String why) {
        endPoint().close(new IOException(why));
    }

    private Connection connection() {
        return request.getConnectionMetaData().getConnection();
    }

    private EndPoint endPoint() {
        return connection().getEndPoint();
    }
}
