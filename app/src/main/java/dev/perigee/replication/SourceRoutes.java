package dev.perigee.replication;

import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.replication.run.RequestedRuns;
import dev.perigee.replication.run.Tables;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// `GET /replication/source`: what the source can do for replication, and the obstacles to a better guarantee.
final class SourceRoutes {
    /// How long an answer is reused. The page asks often, and each new answer takes several round trips to the source.
    private static final Duration KEPT = Duration.ofMinutes(1);

    private final PluginHost host;
    private final Tables tables;
    private @Nullable SourceView last;

    SourceRoutes(PluginHost host, Tables tables) {
        this.host = host;
        this.tables = tables;
    }

    void register() {
        host.route("GET", "/source", Access.ADMIN, this::source);
    }

    private Response source(Request request) {
        return Response.result(view(RequestedRuns.flag(request, "fresh", false)));
    }

    private synchronized SourceView view(boolean isFresh) {
        Instant now = host.clock().instant();
        SourceView known = last;
        if (!isFresh && known != null && known.askedAt().plus(KEPT).isAfter(now)) return known;
        SourceView asked = SourceView.of(tables.source().probe(), now);
        last = asked;
        return asked;
    }
}
