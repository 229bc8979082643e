package dev.perigee.serve;

import dev.perigee.plugin.PluginHost.Access;
import java.io.IOException;

/// What answers a route of the server's own.
///
/// @param access the least role it needs
record Endpoint(Access access, Handler handler) {
    /// Answers a request; what it throws before anything was sent becomes an error answer.
    @FunctionalInterface
    interface Handler {
        void handle(Exchange exchange) throws IOException;
    }
}
