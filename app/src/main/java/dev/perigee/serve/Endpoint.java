package dev.perigee.serve;

import dev.perigee.plugin.PluginHost.Access;
import java.io.IOException;

/// What answers a route, the server's own or a plugin's.
///
/// @param access the lowest role that may call it
/// @param isSocket whether it is a WebSocket: its token may be in the query string
record Endpoint(Access access, Handler handler, boolean isSocket) {
    Endpoint(Access access, Handler handler) {
        this(access, handler, false);
    }

    /// Answers a request. If it throws before anything was sent, the client gets an error answer; later, the answer is
    /// cut off.
    @FunctionalInterface
    interface Handler {
        void handle(Exchange exchange) throws IOException;
    }
}
