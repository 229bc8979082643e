package dev.perigee.plugin;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.RowSink;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The plugins of a server, in their order: registered and started first to last, stopped last to first.
///
/// Hooks run in list order, each once per statement; the second plugin sees what the first made of it.
/// Safe for many
/// threads once started.
public final class PluginRegistry implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PluginRegistry.class);

    private final List<StarbasePlugin> plugins;
    private final Services services;
    private final RouteTable<PluginRoute> routes = new RouteTable<>();
    private final ProtectedTables protectedTables = new ProtectedTables();
    private final SqlFunctions functions = new SqlFunctions();
    private int startedCount;
    private boolean isClosed;

    /// @throws PerigeeException [Fault#CONFIG_INVALID] if two plugins have one name or one path prefix
    public PluginRegistry(List<StarbasePlugin> plugins, Services services) {
        this.plugins = List.copyOf(plugins);
        this.services = services;
        Set<String> names = new HashSet<>();
        Set<String> prefixes = new HashSet<>();
        for (StarbasePlugin plugin : this.plugins) {
            if (!names.add(plugin.name())) throw refused(plugin, "another plugin has the same name");
            String prefix = plugin.pathPrefix();
            if (prefix.isEmpty()) continue;
            if (!prefix.matches("(/[A-Za-z0-9._~-]+)+")) {
                throw refused(plugin, "expected a path prefix like `/name` but found `%s`".formatted(prefix));
            }
            if (!prefixes.add(prefix)) throw refused(plugin, "another plugin has the path prefix " + prefix);
        }
    }

    /// Registers every plugin, then starts every plugin. When one fails, those started before it are
    /// stopped.
    ///
    /// @param queries what runs the statements of plugins
    /// @throws PerigeeException naming the plugin, with the fault it met
    public synchronized void start(Queries queries) {
        for (StarbasePlugin plugin : plugins) {
            call(
                    plugin,
                    "register",
                    new RegisteredPlugin(plugin, services, queries, routes, protectedTables, functions, this::tellCron)
                            ::register);
        }
        for (StarbasePlugin plugin : plugins) {
            try {
                call(plugin, "start", plugin::start);
            } catch (RuntimeException e) {
                close();
                throw e;
            }
            startedCount++;
        }
    }

    /// The plugins' names, in their order.
    public List<String> names() {
        return plugins.stream().map(StarbasePlugin::name).toList();
    }

    /// Every route the plugins registered, prefixes included.
    public RouteTable<PluginRoute> routes() {
        return routes;
    }

    public ProtectedTables protectedTables() {
        return protectedTables;
    }

    public SqlFunctions functions() {
        return functions;
    }

    /// What the plugins make of a statement before it runs; what one throws fails the query.
    public StatementCall beforeQuery(StatementCall call) {
        StatementCall changed = call;
        for (StarbasePlugin plugin : plugins) changed = plugin.beforeQuery(changed);
        return changed;
    }

    /// The sink that shows the plugins an answer's rows. The first plugin sees them first, as they come.
    public RowSink afterQuery(StatementCall call, RowSink rows) {
        RowSink sink = rows;
        for (StarbasePlugin plugin : plugins.reversed()) sink = plugin.afterQuery(call, sink);
        return sink;
    }

    private Map<String, String> tellCron(CronEvent event) {
        Map<String, String> failures = new TreeMap<>();
        for (StarbasePlugin plugin : plugins) {
            try {
                plugin.onCron(event);
            } catch (Exception e) {
                if (e instanceof InterruptedException) Thread.currentThread().interrupt();
                LOG.warn("Plugin {} failed with the task {}", plugin.name(), event.name(), e);
                failures.put(plugin.name(), String.valueOf(e.getMessage()));
            }
        }
        return failures;
    }

    /// Stops the plugins, last to first; one that fails is logged and does not hold up the others. A
    /// second call does
    /// nothing.
    @Override
    public synchronized void close() {
        if (isClosed) return;
        isClosed = true;
        for (StarbasePlugin plugin : plugins.subList(0, startedCount).reversed()) {
            try {
                plugin.stop();
            } catch (RuntimeException e) {
                LOG.error("Plugin {} failed to stop; the others are stopped still", plugin.name(), e);
            }
        }
    }

    private static void call(StarbasePlugin plugin, String step, Runnable work) {
        String state = "The server did not start";
        try {
            work.run();
        } catch (PerigeeException e) {
            throw e.fault().in(place(plugin), "%s failed: %s".formatted(step, e.getMessage()), state, e);
        } catch (RuntimeException e) {
            throw Fault.INTERNAL.in(place(plugin), "%s failed: %s".formatted(step, e), state, e);
        }
    }

    private static PerigeeException refused(StarbasePlugin plugin, String what) {
        return Fault.CONFIG_INVALID.in(place(plugin), what, "The server did not start");
    }

    private static String place(StarbasePlugin plugin) {
        return "plugin " + plugin.name();
    }
}
