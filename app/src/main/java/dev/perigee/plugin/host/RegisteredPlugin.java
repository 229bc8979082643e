package dev.perigee.plugin.host;

import dev.perigee.alarm.Alarms;
import dev.perigee.plugin.CronEvent;
import dev.perigee.plugin.FreshnessGate;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.Queries;
import dev.perigee.plugin.RouteTable;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.source.Source;
import dev.perigee.sqlite.SqliteFunction;
import dev.perigee.store.Store;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/// The host as one plugin sees it. Routes are below the plugin's prefix; the alarm and the protected tables are its
/// own.
final class RegisteredPlugin implements PluginHost {
    private final StarbasePlugin plugin;
    private final Services services;
    private final Shared shared;
    private final List<Added> added = new ArrayList<>();
    private volatile boolean isRegistering = true;
    private volatile boolean isWithdrawn;

    private record Added(String method, String path, PluginRoute route) {}

    /// What all plugins of one server share.
    ///
    /// @param queries runs the plugins' statements
    /// @param routes the routes of all plugins
    /// @param protectedTables tables that callers may not write to
    /// @param functions the SQL functions of all plugins
    /// @param cron tells every plugin of a cron event; returns each plugin's result by its name
    /// @param gate takes the gate of the plugin that keeps the copies
    record Shared(
            Services services,
            Queries queries,
            RouteTable<PluginRoute> routes,
            ProtectedTables protectedTables,
            SqlFunctions functions,
            Function<CronEvent, Map<String, String>> cron,
            Consumer<FreshnessGate> gate) {}

    RegisteredPlugin(StarbasePlugin plugin, Shared shared) {
        this.plugin = plugin;
        this.services = shared.services();
        this.shared = shared;
    }

    private record PluginAlarm(StarbasePlugin plugin) implements Alarms.Handler {
        @Override
        public void onAlarm(int attempt) throws Exception {
            plugin.onAlarm(attempt);
        }

        @Override
        public void onClockSetBack() throws Exception {
            plugin.onClockSetBack();
        }
    }

    void register() {
        services.alarms().handler(plugin.name(), new PluginAlarm(plugin));
        try {
            plugin.register(this);
        } finally {
            isRegistering = false;
        }
    }

    /// Makes the plugin's routes available. Called only after the plugin has started, so a plugin that failed has none.
    void publish() {
        added.forEach(route -> shared.routes().add(route.method(), route.path(), route.route()));
    }

    /// Leaves the plugin out. Its alarm no longer fires, its tables are no longer protected, and it can neither set an
    /// alarm nor protect a table. Work that it has begun may continue.
    void withdraw() {
        isWithdrawn = true;
        isRegistering = false;
        services.alarms().forget(plugin.name());
        shared.protectedTables().unprotectAll(plugin.name());
    }

    private void requireKept() {
        if (isWithdrawn) throw new IllegalStateException("the plugin was left out");
    }

    @Override
    public void route(String method, String path, Access access, RouteHandler handler) {
        if (access == Access.ANYBODY && plugin.requiresAuth()) {
            throw new IllegalArgumentException(
                    "%s %s is open to anybody, but the plugin requires a token".formatted(method, path));
        }
        add(method, path, access, new PluginRoute.Target.Answer(handler));
    }

    @Override
    public void uploadRoute(String method, String path, Access access, long maxBytes, RouteHandler handler) {
        if (access == Access.ANYBODY) throw new IllegalArgumentException("an upload needs a token");
        add(method, path, access, new PluginRoute.Target.Take(handler, maxBytes));
    }

    @Override
    public void socket(String path, Access access, SocketHandler handler) {
        if (access == Access.ANYBODY) throw new IllegalArgumentException("a WebSocket needs a token");
        add("GET", path, access, new PluginRoute.Target.Upgrade(handler));
    }

    private void add(String method, String path, Access access, PluginRoute.Target target) {
        if (!isRegistering) throw new IllegalStateException("routes are added in register() only");
        if (plugin.pathPrefix().isEmpty()) throw new IllegalStateException("a plugin without a prefix has no routes");
        added.add(new Added(method, plugin.pathPrefix() + path, new PluginRoute(plugin.name(), access, target)));
    }

    @Override
    public Store store() {
        return services.store();
    }

    @Override
    public Optional<Source> source() {
        return services.source();
    }

    @Override
    public Queries queries() {
        return shared.queries();
    }

    @Override
    public InstantSource clock() {
        return services.clock();
    }

    @Override
    public PrometheusRegistry metrics() {
        return services.metrics();
    }

    @Override
    public void setAlarm(Instant due) {
        requireKept();
        services.alarms().set(plugin.name(), due);
    }

    @Override
    public Optional<Instant> alarm() {
        return services.alarms().due(plugin.name());
    }

    @Override
    public void clearAlarm() {
        services.alarms().clear(plugin.name());
    }

    @Override
    public void function(String name, int argumentCount, SqliteFunction function) {
        if (!isRegistering) throw new IllegalStateException("functions are added in register() only");
        shared.functions().add(name, argumentCount, function);
        // The write connection is already open and also runs Perigee's own writes, so the function is registered there
        // now.
        store().write(tx -> {
            tx.connection().function(name, argumentCount, EnumSet.noneOf(SqliteFunction.Trait.class), function);
            return true;
        });
    }

    @Override
    public Map<String, String> tellCron(CronEvent event) {
        return shared.cron().apply(event);
    }

    @Override
    public void protectTable(String table, String reason, boolean fromAdmins) {
        requireKept();
        shared.protectedTables().protect(plugin.name(), table, reason, fromAdmins);
    }

    @Override
    public void freshness(FreshnessGate gate) {
        if (!isRegistering) throw new IllegalStateException("the gate is set in register() only");
        shared.gate().accept(gate);
    }

    @Override
    public void unprotectTable(String table) {
        shared.protectedTables().unprotect(plugin.name(), table);
    }
}
