package dev.perigee.plugin;

import dev.perigee.source.Source;
import dev.perigee.sqlite.SqliteFunction;
import dev.perigee.store.Store;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/// What the server offers to a plugin. One object per plugin; safe for many threads.
public interface PluginHost {
    /// The least privileged role that may use a route.
    enum Access {
        ADMIN,
        CLIENT,
        ANYBODY
    }

    /// Answers a request. An exception becomes an error answer with the fault's status.
    @FunctionalInterface
    interface RouteHandler {
        Response handle(Request request);
    }

    /// Accepts a client's new WebSocket. An exception refuses the upgrade with the fault's status.
    @FunctionalInterface
    interface SocketHandler {
        /// @param request the upgrade request, which has no body
        /// @return receives the socket's frames
        Socket.Listener open(Request request, Socket socket);
    }

    Store store();

    /// The external database, if one is configured.
    Optional<Source> source();

    /// Runs statements with a caller's rights, on the replica or the external database.
    Queries queries();

    InstantSource clock();

    /// The registry of the metrics that `GET /metrics` shows.
    PrometheusRegistry metrics();

    /// Adds a route below the plugin's prefix; only during [StarbasePlugin#register]. A plugin with `requiresAuth` must
    /// not open a route to [Access#ANYBODY].
    ///
    /// @param path such as `/tables/:name`; empty for the prefix itself
    void route(String method, String path, Access access, RouteHandler handler);

    /// Adds a route whose body may be larger than memory. The handler reads it by [Request#upload].
    ///
    /// @param access not [Access#ANYBODY]
    /// @param maxBytes maximum size of the body
    void uploadRoute(String method, String path, Access access, long maxBytes, RouteHandler handler);

    /// Adds a WebSocket below the plugin's prefix; only during [StarbasePlugin#register]. Its token may also be sent as
    /// `?token=`, because browsers cannot send an Authorization header with an upgrade.
    ///
    /// @param access not [Access#ANYBODY]
    void socket(String path, Access access, SocketHandler handler);

    /// Sets the plugin's one alarm, durably, and replaces an earlier one. [StarbasePlugin#onAlarm] is called when it is
    /// due.
    void setAlarm(Instant due);

    Optional<Instant> alarm();

    void clearAlarm();

    /// Adds a SQL function for callers' statements and for triggers on the plugin's tables; only during
    /// [StarbasePlugin#register]. Several threads call it at once, in the middle of a statement. It must return quickly
    /// and must not use the store.
    ///
    /// @param argumentCount -1 for any number
    void function(String name, int argumentCount, SqliteFunction function);

    /// Calls [StarbasePlugin#onCron] of every plugin, on this thread.
    ///
    /// @return the error messages by plugin name; empty if none failed
    Map<String, String> tellCron(CronEvent event);

    /// Protects a table of the replica until [#unprotectTable]: clients' statements may not write to it, and admins'
    /// statements may change its rows only. The refusal contains `reason`.
    default void protectTable(String table, String reason) {
        protectTable(table, reason, false);
    }

    /// As [#protectTable(String, String)].
    ///
    /// @param fromAdmins whether admins' statements may not change its rows either
    void protectTable(String table, String reason, boolean fromAdmins);

    void unprotectTable(String table);

    /// Has the server ask `gate` how fresh copies are; only during [StarbasePlugin#register], and by one plugin.
    void freshness(FreshnessGate gate);
}
