package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.ErrorBody;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.RouteTable;
import dev.perigee.plugin.Upload;
import dev.perigee.query.external.MemoryBudget;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.FreshnessDemand;
import dev.perigee.statement.FreshnessToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
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

/// One request and its answer. It belongs to the thread that handles the request; [RequestWatch] checks on it from its
/// own thread.
final class Exchange {
    /// What the handling thread waits for. It decides how the request can be ended.
    enum Phase {
        /// For the client's body.
        READING,
        /// For SQLite, the source or a plugin.
        WORKING,
        /// For the client to read what was sent.
        SENDING,
        DONE
    }

    /// Takes over a request that upgrades its connection to another protocol.
    @FunctionalInterface
    interface Upgrade {
        /// @return false if the request asks for no upgrade
        boolean to(Request request, Response response, Callback callback);
    }

    private final Request request;
    private final Response response;
    private final Callback callback;
    private final RequestBody body;
    private final Cancellation cancellation = new Cancellation();
    private final Map<String, String> pathParameters;
    private final FreshnessHeaders freshness;
    private Caller caller = Caller.NOBODY;
    private @Nullable Fields query;
    private @Nullable Thread streamingThread;
    private volatile boolean isUnlimited;
    private Phase phase = Phase.READING;
    private boolean isSwallowed;
    private boolean isUpgraded;
    private boolean isAudited;
    private boolean isCacheable;
    private RequestSlots.@Nullable Place place;

    /// @param taken the beginning of the body, which has been read already
    /// @param freshness reads and writes the headers about freshness
    Exchange(
            Request request,
            Response response,
            Callback callback,
            byte[] taken,
            Map<String, String> pathParameters,
            FreshnessHeaders freshness) {
        this.freshness = freshness;
        this.body = new RequestBody(request, taken);
        this.request = request;
        this.response = response;
        this.callback = callback;
        this.pathParameters = pathParameters;
    }

    /// Gives the request its place among those that run. It takes the place now, or once its body has been read, so
    /// that slow bodies take no places.
    ///
    /// @throws PerigeeException [Fault#BUSY] if no place is free
    void place(RequestSlots.Place given) {
        place = given;
        if (!body.isThere()) given.take();
    }

    void leavePlace() {
        if (place != null) place.leave();
    }

    /// Whether the body is being read, and has arrived at less than the given rate.
    boolean isSlowBody(int leastBytesPerSecond) {
        synchronized (this) {
            if (phase != Phase.READING) return false;
        }
        return body.isSlow(leastBytesPerSecond);
    }

    String method() {
        return request.getMethod();
    }

    /// The path as it was sent, percent-encoded.
    String path() {
        return request.getHttpURI().getPath();
    }

    /// The decoded path, for people and plugins. Routes are matched before decoding.
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

    /// Whether this is an admin's call, by its token or because a plugin said so.
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

    /// Reads the whole body; see [RequestBody#read].
    ///
    /// @throws PerigeeException as [RequestBody#read], and [Fault#BUSY] if there is no place for the request
    byte[] body(long maxBytes, MemoryBudget.Reservation memory) {
        try {
            byte[] bytes = body.read(maxBytes, memory);
            takePlace();
            return bytes;
        } finally {
            phase(Phase.WORKING);
        }
    }

    /// Writes the body, or one file of a form, to the disk; see [UploadedBody#read].
    Upload upload(String field, Path folder, long maxBytes) {
        takePlace();
        body.begins();
        phase(Phase.READING);
        try {
            return UploadedBody.read(request, field, folder, maxBytes);
        } catch (PerigeeException e) {
            // The unread rest of the body would be taken for the next request.
            response.getHeaders().put(HttpHeader.CONNECTION, "close");
            throw e;
        } finally {
            phase(Phase.WORKING);
        }
    }

    private void takePlace() {
        if (place != null) place.take();
    }

    /// Checks that the content type is JSON.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] if it is not
    void requireJson() {
        String type = header("Content-Type").orElse("");
        int end = type.indexOf(';');
        if (!(end < 0 ? type : type.substring(0, end)).strip().equalsIgnoreCase("application/json")) {
            throw Fault.INVALID_REQUEST.saying("Content-Type must be application/json.");
        }
    }

    void status(int status, String contentType) {
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
    }

    void responseHeader(String name, String value) {
        response.getHeaders().put(name, value);
    }

    /// How fresh the copies must be that the request reads.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] if a header is not valid
    FreshnessDemand demand() {
        return freshness.demand(request.getHeaders());
    }

    /// Adds how fresh the answer is to its headers. Too late once it has begun.
    void fresh(AnswerFreshness answer) {
        if (response.isCommitted()) return;
        freshness.addTo(response.getHeaders(), answer);
        if (isCacheable) keepFor(FreshnessHeaders.maxAge(answer, demand()).toSeconds());
    }

    /// Adds the token of a write to the answer's headers. Too late once it has begun.
    void wrote(FreshnessToken token) {
        if (!response.isCommitted()) freshness.addTo(response.getHeaders(), token, isEncrypted());
    }

    /// Lets the client keep the answer and ask later whether it is still right; see
    /// [dev.perigee.plugin.Request#cacheable].
    void cacheable() {
        isCacheable = true;
        keepFor(0);
        response.getHeaders()
                .add(
                        HttpHeader.VARY,
                        "Authorization, Cookie, X-Starbase-Source, X-Data-Source, X-Perigee-After, X-Perigee-Max-Staleness, X-Perigee-If-Stale");
    }

    boolean isCacheable() {
        return isCacheable;
    }

    private void keepFor(long seconds) {
        response.getHeaders().put(HttpHeader.CACHE_CONTROL, "private, max-age=" + seconds);
    }

    void contentLength(long length) {
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, length);
    }

    boolean isCommitted() {
        return response.isCommitted();
    }

    /// Sends bytes, and waits until the client or the connection's buffers have taken them.
    void write(boolean isLast, ByteBuffer bytes) throws IOException {
        phase(Phase.SENDING);
        Content.Sink.write(response, isLast, bytes);
        // From now on isClientGone() must not read: the next byte is of the next request, or of an unread body.
        phase(isLast ? Phase.DONE : Phase.WORKING);
    }

    /// Begins to send a whole answer, and does not wait for the client.
    ///
    /// @param sent called once, when the client has taken the answer or is gone
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

    /// Sends the JSON of an error.
    void error(int status, PerigeeException failure) throws IOException {
        answer(status, "application/json", Json.MAPPER.writeValueAsBytes(ErrorBody.of(failure)));
    }

    /// Sends an answer without a body.
    void empty(int status) throws IOException {
        closeIfBodyIsLeft();
        response.setStatus(status);
        write(true, ByteBuffer.allocate(0));
    }

    /// Tells the client that the connection closes after this answer, if the body has not been read to its end. This is
    /// frequent, because requests are often refused before their body has arrived. Without it, the client would send
    /// its next request on a connection that closes.
    private void closeIfBodyIsLeft() {
        if (!request.consumeAvailable()) response.getHeaders().put(HttpHeader.CONNECTION, "close");
    }

    /// Sends `{"result": value}`.
    void result(Object value) throws IOException {
        answer(200, "application/json", Json.MAPPER.writeValueAsBytes(Map.of("result", value)));
    }

    /// Leaves the request and its callback to `upgrade`.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] if the request asks for no upgrade
    void upgrade(Upgrade upgrade) {
        synchronized (this) {
            phase = Phase.DONE; // From here on, only the upgraded connection reads.
        }
        isUpgraded = upgrade.to(request, response, callback);
        if (!isUpgraded) throw Fault.INVALID_REQUEST.saying("Invalid WebSocket handshake.");
    }

    boolean isUpgraded() {
        return isUpgraded;
    }

    /// Lifts the time limit of requests. A plugin limits its own work.
    void unlimited() {
        isUnlimited = true;
    }

    /// Restores the time limit of requests.
    void limited() {
        isUnlimited = false;
    }

    boolean isUnlimited() {
        return isUnlimited;
    }

    /// Marks the answer as a stream of events. It may take any time. To end it, the calling thread is interrupted.
    synchronized void isStream() {
        streamingThread = Thread.currentThread();
    }

    /// Ends the answer if it is a stream of events.
    ///
    /// @return whether it was one that had not ended
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

    /// To be called when the request has been handled. Nobody watches it any more.
    ///
    /// @return whether the connection has to close, because [#isClientGone] has taken a byte of the next request
    synchronized boolean done() {
        phase = Phase.DONE;
        streamingThread = null;
        return isSwallowed;
    }

    /// Ends the request. Work is cancelled, so that an error can be answered. Closes the connection if the body is
    /// still being read, or if the answer has begun.
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

    /// Whether the client has closed its connection while we work for it. This reads from the connection, because Jetty
    /// does not do so while a request is being answered.
    ///
    /// If a client sends its next request early (pipelining), its first byte is taken here. The connection then closes
    /// after this answer, which such a client has to expect.
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
