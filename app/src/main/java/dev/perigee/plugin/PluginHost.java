package dev.perigee.plugin;

import dev.perigee.source.Source;
import dev.perigee.sqlite.SqliteFunction;
import dev.perigee.store.Store;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/// What a plugin may use of the server. One object per plugin; safe for many threads.
public interface PluginHost {
    /// The least role a route needs.
    enum Access {
        ADMIN,
        CLIENT,
        ANYBODY
    }

    /// Answers a request; what it throws becomes an error answer with the fault's status.
    @FunctionalInterface
    interface RouteHandler {
        Response handle(Request request);
    }

    /// Takes a client's new WebSocket. What it throws refuses the upgrade with the fault's status.
    @FunctionalInterface
    interface SocketHandler {
        /// @param request the upgrade's, which has no body
        Socket.Listener open(Request request, Socket socket);
    }

    Store store();

    /// The external database, when one is configured.
    Optional<Source> source();

    /// Runs statements with a caller's rights, on the replica or the external database.
    Queries queries();

    InstantSource clock();

    /// Where metrics are registered that `GET /metrics` shows.
    PrometheusRegistry metrics();

    /// Adds a route below the plugin's prefix; only while it registers. A plugin without `requiresAuth` may open routes
    /// to anybody; one with it may not.
    ///
    /// @param path like `/tables/:name`; empty for the prefix itself
    void route(String method, String path, Access access, RouteHandler handler);

    /// Adds a route whose body may be larger than memory: the handler takes it by [Request#upload].
    ///
    /// @param maxBytes longest body
    void uploadRoute(String method, String path, Access access, long maxBytes, RouteHandler handler);

    /// Adds a WebSocket below the plugin's prefix; only while it registers. Its token may come as `?token=` too, since
    /// browsers cannot send a header with it.
    ///
    /// @param access not [Access#ANYBODY]
    void socket(String path, Access access, SocketHandler handler);

    /// Sets the plugin's one alarm, durably; [StarbasePlugin#onAlarm] is called when it is due.
    void setAlarm(Instant due);

    Optional<Instant> alarm();

    void clearAlarm();

    /// Brings a function to callers' SQL, and to triggers on the plugin's tables; only while it registers. It is called
    /// by several threads at once, in the midst of a statement: it must return soon and not use the store.
    ///
    /// @param argumentCount -1 for any number
    void function(String name, int argumentCount, SqliteFunction function);

    /// Tells every plugin that a task's time has come.
    ///
    /// @return what went wrong, by the plugin's name; empty when nothing did
    Map<String, String> tellCron(CronEvent event);

    /// From now on clients' statements may not write to this table of the replica, and admins' may change its rows and
    /// nothing else; `reason` is in the refusal.
    default void protectTable(String table, String reason) {
        protectTable(table, reason, false);
    }

    /// As [#protectTable(String, String)].
    ///
    /// @param fromAdmins whether admins may not change its rows either
    void protectTable(String table, String reason, boolean fromAdmins);

    void unprotectTable(String table);
}
