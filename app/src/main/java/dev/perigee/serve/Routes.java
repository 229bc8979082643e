package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost.RouteHandler;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.Response.StatementBody;
import dev.perigee.plugin.RouteTable;
import dev.perigee.plugin.RouteTable.Match;
import dev.perigee.plugin.host.PluginRegistry;
import dev.perigee.plugin.host.PluginRoute;
import dev.perigee.query.external.MemoryBudget;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/// Finds the endpoint of a request: first among the server's own routes, then among the plugins'.
final class Routes {
    /// Event streams (`text/event-stream`) that may be open at once, for all plugins together.
    private static final int MAX_STREAMS = 128;

    private final RouteTable<Endpoint> own;
    private final PluginRegistry plugins;
    private final MemoryBudget memory;
    private final long maxBodyBytes;
    private final Semaphore largeAnswers;
    private final Sockets sockets;
    private final Semaphore streams = new Semaphore(MAX_STREAMS);

    /// @param largeAnswers permits for answers over 64 KiB that are sent while they hold one of the store's readers
    Routes(
            RouteTable<Endpoint> own,
            PluginRegistry plugins,
            MemoryBudget memory,
            long maxBodyBytes,
            Semaphore largeAnswers,
            Sockets sockets) {
        this.own = own;
        this.plugins = plugins;
        this.memory = memory;
        this.maxBodyBytes = maxBodyBytes;
        this.largeAnswers = largeAnswers;
        this.sockets = sockets;
    }

    /// @param path as the client sent it, percent-encoded
    Match<Endpoint> match(String method, String path) {
        Match<Endpoint> match = own.match(method, path);
        if (!(match instanceof Match.Unknown<Endpoint>)) return match;
        return switch (plugins.routes().match(method, path)) {
            case Match.Found<PluginRoute>(var route, var pattern, var parameters) ->
                new Match.Found<>(endpoint(route), pattern, parameters);
            case Match.OtherMethods<PluginRoute>(var allowed) -> new Match.OtherMethods<>(allowed);
            case Match.Unknown<PluginRoute>() -> match;
        };
    }

    private Endpoint endpoint(PluginRoute route) {
        return switch (route.target()) {
            case PluginRoute.Target.Answer(var handler) ->
                new Endpoint(route.access(), exchange -> answer(exchange, handler));
            case PluginRoute.Target.Take(var handler, var maxBytes) ->
                new Endpoint(route.access(), exchange -> take(exchange, handler, maxBytes));
            case PluginRoute.Target.Upgrade(var handler) ->
                new Endpoint(route.access(), exchange -> sockets.open(exchange, handler), true);
        };
    }

    private void answer(Exchange exchange, RouteHandler handler) throws IOException {
        try (MemoryBudget.Reservation reservation = memory.reserve("The body")) {
            byte[] body = exchange.body(maxBodyBytes, reservation);
            exchange.unlimited();
            send(exchange, handler.handle(new PluginRequest(exchange, body, reservation, 0)));
        }
    }

    private void take(Exchange exchange, RouteHandler handler, long maxBytes) throws IOException {
        try (MemoryBudget.Reservation reservation = memory.reserve("The body")) {
            exchange.unlimited();
            PluginRequest request = new PluginRequest(exchange, new byte[0], reservation, maxBytes);
            send(exchange, handler.handle(request));
        }
    }

    private void send(Exchange exchange, Response answer) throws IOException {
        boolean isStream = answer.contentType().startsWith("text/event-stream");
        if (isStream && !streams.tryAcquire()) {
            throw Fault.BUSY.saying("%d streams are already open.".formatted(MAX_STREAMS));
        }
        try {
            exchange.status(answer.status(), answer.contentType());
            answer.headers().forEach(exchange::responseHeader);
            if (isStream) exchange.isStream();
            if (answer.body() instanceof StatementBody body) {
                sendStatement(exchange, body);
            } else {
                AnswerStream out = new AnswerStream(exchange, null);
                answer.body().writeTo(out);
                out.finish();
            }
        } finally {
            if (isStream) streams.release();
        }
    }

    private void sendStatement(Exchange exchange, StatementBody body) throws IOException {
        exchange.limited();
        AnswerStream out = new AnswerStream(exchange, largeAnswers);
        try {
            body.writeTo(out, out);
            out.finish();
        } finally {
            out.release();
        }
    }
}
