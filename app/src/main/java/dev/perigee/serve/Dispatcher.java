package dev.perigee.serve;

import dev.perigee.config.ServeConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.RouteTable.Match;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Query;
import dev.perigee.statement.StaleException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.VirtualThreads;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.exc.JacksonIOException;

/// Handles every request: finds its route and its caller, calls the route's handler, and answers errors.
///
/// Point reads are answered on the selector thread, see [InlineReads]. Every other request has a virtual thread, which
/// may block. Its SQL runs on the store's own threads, in a worker process or at the source.
final class Dispatcher extends Handler.Abstract {
    private static final int MAX_NAME_CHARS = 100;
    private static final byte[] NOTHING = {};
    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

    private final Routes routes;
    private final Authentication authentication;
    private final Cors cors;
    private final RequestWatch watch;
    private final SlowHeaders heads;
    private final HttpMetrics metrics;
    private final Optional<AuditLog> audit;
    private final boolean isStrict;
    private final HostCheck hosts;
    private final RateLimits rates;
    private final WrongTokens guesses;
    private final InlineReads inline;
    private final FreshnessHeaders freshness;
    private final Executor threads = VirtualThreads.getNamedVirtualThreadsExecutor("perigee-http-");
    private final RequestSlots places;
    private volatile boolean isStopping;

    /// What looks at every request without answering it.
    ///
    /// @param watch ends requests that take too long
    /// @param heads closes connections whose headers arrive too slowly
    /// @param metrics counts requests
    /// @param audit records admins' calls, if that is on
    record Observers(RequestWatch watch, SlowHeaders heads, HttpMetrics metrics, Optional<AuditLog> audit) {}

    Dispatcher(
            Routes routes, Authentication authentication, ServeConfig config, Observers observers, InlineReads inline) {
        super(InvocationType.NON_BLOCKING);
        this.routes = routes;
        this.inline = inline;
        this.authentication = authentication;
        this.freshness = new FreshnessHeaders(config.freshnessCookie());
        this.cors = new Cors(config.allowedOrigins());
        this.watch = observers.watch();
        this.heads = observers.heads();
        this.metrics = observers.metrics();
        this.audit = observers.audit();
        this.isStrict = config.surface().isStrict();
        this.hosts = new HostCheck(config.host(), config.surface().hosts());
        this.rates = new RateLimits(config.surface().requestsPerSecond(), 1, TimeUnit.SECONDS);
        this.places = new RequestSlots(config.surface().crowd().adminPlaces());
        this.guesses = new WrongTokens(config.allowedOrigins(), config.surface().failuresPerMinute());
    }

    void stopping() {
        isStopping = true;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        long begin = System.nanoTime();
        HttpFields.Mutable headers = response.getHeaders();
        cors.addTo(headers, request.getHeaders().get(HttpHeader.ORIGIN));
        headers.put("X-Content-Type-Options", "nosniff");
        request.addIdleTimeoutListener(_ -> false); // Reads, writes and work have their own limits.
        heads.complete(request.getConnectionMetaData().getConnection());
        Optional<Caller> caller = isStopping ? Optional.empty() : inline.caller(request);
        byte[] taken = caller.isPresent() ? InlineReads.body(request) : NOTHING;
        if (caller.isPresent() && answeredInline(request, response, callback, caller.get(), taken, begin)) return true;
        threads.execute(() -> handle(request, response, callback, taken, begin));
        return true;
    }

    /// Answers a point read on this thread.
    ///
    /// @return false if the normal path has to be taken; nothing has been sent then
    private boolean answeredInline(
            Request request, Response response, Callback callback, Caller caller, byte[] body, long begin) {
        Optional<Query> query = inline.query(request, body, caller);
        if (query.isEmpty() || !isNamed(request) || guesses.isSpent(request)) return false;
        RequestSlots.Place place = places.of(caller);
        if (!place.tryTake()) return false;
        boolean isWithinRate = rates.tryTake(rateName(caller));
        Optional<InlineReads.Answer> answer = isWithinRate ? inline.read(query.get()) : Optional.empty();
        if (answer.isEmpty()) {
            if (isWithinRate) rates.giveBack(rateName(caller)); // The normal path counts it.
            place.leave();
            return false;
        }
        Exchange exchange = new Exchange(request, response, callback, NOTHING, Map.of(), freshness);
        exchange.caller(caller);
        exchange.place(place);
        watch.add(exchange);
        answer.get().freshness().ifPresent(exchange::fresh);
        exchange.send(answer.get().body(), new InlineAnswer(exchange, request, response, callback, begin));
        return true;
    }

    /// Ends a point read, once its answer has been sent or has failed.
    private final class InlineAnswer implements Callback {
        private final Exchange exchange;
        private final Request request;
        private final Response response;
        private final Callback callback;
        private final long begin;

        InlineAnswer(Exchange exchange, Request request, Response response, Callback callback, long begin) {
            this.exchange = exchange;
            this.request = request;
            this.response = response;
            this.callback = callback;
            this.begin = begin;
        }

        @Override
        public InvocationType getInvocationType() {
            return InvocationType.NON_BLOCKING;
        }

        @Override
        public void succeeded() {
            ended();
            callback.succeeded();
        }

        @Override
        public void failed(Throwable why) {
            ended();
            callback.failed(why);
        }

        private void ended() {
            exchange.done();
            watch.remove(exchange);
            exchange.leavePlace();
            if (exchange.isAudited() && audit.isPresent()) audit(request, response, audit.get(), begin);
            heads.answered(request.getConnectionMetaData().getConnection());
            String route = request.getHttpURI().getPath();
            metrics.answered(request.getMethod(), route, response.getStatus(), System.nanoTime() - begin);
        }
    }

    private boolean isNamed(Request request) {
        try {
            hosts.check(request.getHeaders().get(HttpHeader.HOST));
            return true;
        } catch (PerigeeException _) {
            return false;
        }
    }

    /// Handles a request on a thread of its own.
    ///
    /// @param taken the beginning of the body, which has been read already
    private void handle(Request request, Response response, Callback callback, byte[] taken, long begin) {
        String route = "other";
        Connection connection = request.getConnectionMetaData().getConnection();
        try {
            if (request.getMethod().equals("OPTIONS")) {
                route = "OPTIONS";
                response.setStatus(204);
                heads.answered(connection);
                callback.succeeded();
                return;
            }
            Match<Endpoint> match = match(request);
            if (match instanceof Match.Found<Endpoint> found) route = found.pattern();
            Exchange exchange = new Exchange(request, response, callback, taken, parameters(match), freshness);
            boolean isComplete = answer(exchange, request, response, match);
            if (exchange.isUpgraded()) return;
            heads.answered(connection);
            if (isComplete) callback.succeeded();
            else callback.failed(new EofException("the answer was broken off")); // Jetty logs other exceptions loudly.
        } catch (Throwable e) {
            callback.failed(e);
            if (e instanceof Error error) throw error;
        } finally {
            metrics.answered(request.getMethod(), route, response.getStatus(), System.nanoTime() - begin);
        }
    }

    /// Finds the route. A target that is not a path (`*`, `host:port`) or cannot be decoded has none.
    private Match<Endpoint> match(Request request) {
        @Nullable String path = request.getHttpURI().getPath();
        if (path == null || !path.startsWith("/")) return new Match.Unknown<>();
        try {
            return routes.match(request.getMethod(), path);
        } catch (PerigeeException e) {
            LOG.debug("A path could not be decoded", e);
            return new Match.Unknown<>();
        }
    }

    /// @return whether the client got an answer with a proper end
    private boolean answer(Exchange exchange, Request request, Response response, Match<Endpoint> match)
            throws IOException {
        long begin = System.nanoTime();
        watch.add(exchange);
        try {
            hosts.check(request.getHeaders().get(HttpHeader.HOST));
            Endpoint endpoint = endpoint(match, response);
            if (isStopping) throw Fault.CLOSED.saying("The server is stopping.");
            exchange.caller(caller(exchange, request, endpoint));
            if (endpoint.access() != Access.ANYBODY) exchange.place(places.of(exchange.caller()));
            endpoint.handler().handle(exchange);
            return true;
        } catch (PerigeeException e) {
            return failed(exchange, response, e);
        } catch (IOException | JacksonIOException e) {
            LOG.debug("A client disconnected or was too slow", e);
            return false;
        } catch (RuntimeException e) {
            LOG.error(
                    "A request to {} failed unexpectedly", request.getHttpURI().getPath(), e);
            return failed(exchange, response, Fault.INTERNAL.saying("Internal error; the server's log has its cause."));
        } finally {
            exchange.leavePlace();
            watch.remove(exchange);
            if (exchange.done()) closeAfter(request);
            if (exchange.isAudited() && audit.isPresent()) audit(request, response, audit.get(), begin);
        }
    }

    /// Identifies the caller. Once an address has sent too many wrong tokens, even a correct one is refused for a
    /// while.
    private Caller known(Request request, @Nullable String authorization) {
        if (guesses.isSpent(request)) throw RateLimits.refusal();
        try {
            return authentication.caller(authorization);
        } catch (PerigeeException e) {
            if (e.fault() == Fault.UNAUTHORIZED && authorization != null) guesses.wrong(request);
            throw e;
        }
    }

    private boolean failed(Exchange exchange, Response response, PerigeeException e) throws IOException {
        if (response.isCommitted()) {
            LOG.info("An answer was broken off: {}", e.getMessage());
            return false;
        }
        if (e.fault() == Fault.UNAUTHORIZED) response.getHeaders().put(HttpHeader.WWW_AUTHENTICATE, "Bearer");
        int status = isStrict ? StrictStatus.of(e.fault()) : e.fault().httpStatus();
        if (status == 503 || status == 429) response.getHeaders().put(HttpHeader.RETRY_AFTER, retryAfter(e));
        response.getHeaders().remove(HttpHeader.CONTENT_LENGTH);
        response.getHeaders().remove(HttpHeader.CACHE_CONTROL);
        exchange.error(status, e);
        return true;
    }

    private static long retryAfter(PerigeeException e) {
        Optional<Duration> eta = e instanceof StaleException stale ? stale.eta() : Optional.empty();
        return Math.max(1, eta.map(wait -> wait.plusMillis(999).toSeconds()).orElse(1L));
    }

    private static void audit(Request request, Response response, AuditLog log, long begin) {
        log.called(
                Instant.now(),
                Request.getRemoteAddr(request),
                request.getMethod(),
                String.valueOf(request.getHttpURI().getPath()),
                response.getStatus(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
    }

    private Caller caller(Exchange exchange, Request request, Endpoint endpoint) {
        Access access = endpoint.access();
        @Nullable String authorization = request.getHeaders().get(HttpHeader.AUTHORIZATION);
        if (endpoint.isSocket()) {
            @Nullable String origin = request.getHeaders().get(HttpHeader.ORIGIN);
            if (!cors.allows(origin)) throw Fault.FORBIDDEN.saying("Forbidden: the origin is not in allowedOrigins.");
            if (authorization == null) authorization = exchange.query("token").orElse(null);
        }
        if (access == Access.ANYBODY) {
            if (authorization == null) return Caller.NOBODY;
            try {
                return known(request, authorization);
            } catch (PerigeeException _) {
                return Caller.NOBODY; // This route needs no token; a wrong one only counts.
            }
        }
        Caller caller = known(request, authorization);
        rates.take(rateName(caller));
        if (access == Access.ADMIN && !caller.isAdmin()) {
            throw Fault.FORBIDDEN.saying("Forbidden: this needs the admin token.");
        }
        return caller;
    }

    private static String rateName(Caller caller) {
        return caller.subject().map(Dispatcher::rateName).orElse(caller.role().name());
    }

    /// The name under which a JWT's subject is counted. Names are kept in memory, so a long subject is replaced by its
    /// hash.
    private static String rateName(String subject) {
        if (subject.length() <= MAX_NAME_CHARS) return "jwt " + subject;
        return "jwt-hash " + HexFormat.of().formatHex(Authentication.hash(subject));
    }

    private static Endpoint endpoint(Match<Endpoint> match, Response response) {
        return switch (match) {
            case Match.Found<Endpoint> found -> found.target();
            case Match.OtherMethods<Endpoint>(var allowed) -> {
                response.getHeaders().put(HttpHeader.ALLOW, String.join(", ", allowed));
                throw Fault.METHOD_NOT_ALLOWED.saying("Method not allowed");
            }
            case Match.Unknown<Endpoint>() -> throw Fault.NOT_FOUND.saying("Not found");
        };
    }

    private static Map<String, String> parameters(Match<Endpoint> match) {
        return match instanceof Match.Found<Endpoint> found ? found.parameters() : Map.of();
    }

    private static void closeAfter(Request request) {
        Request.addCompletionListener(
                request,
                _ -> request.getConnectionMetaData()
                        .getConnection()
                        .getEndPoint()
                        .close());
    }
}
