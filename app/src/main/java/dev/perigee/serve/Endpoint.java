package dev.perigee.serve;

import dev.perigee.plugin.PluginHost.Access;
import java.io.IOException;

/// What answers a route of the server's own.
///
/// @param access the least role it needs
/// @param isSocket whether it is a WebSocket, whose token may be in the query string
record Endpoint(Access access, Handler handler, boolean isSocket) {
    Endpoint(Access access, Handler handler) {
        this(access, handler, false);
    }

    /// Answers a request; what it throws before anything was sent becomes an error answer.
    @FunctionalInterface
    interface Handler {
        void handle(Exchange exchange) throws IOException;
    }
}
