package dev.perigee.plugin.host;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.CronEvent;
import dev.perigee.plugin.FreshnessGate;
import dev.perigee.plugin.PluginFailure;
import dev.perigee.plugin.Queries;
import dev.perigee.plugin.RouteTable;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.StatementCall;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The plugins of a server, in their order. They are registered and started first to last, and stopped last to first.
///
/// Hooks run in list order, and each plugin sees what those before it made of the statement. They run once per
/// statement; more often only where every plugin allows it ([StarbasePlugin#mayWait]). Safe for many threads once
/// started.
public final class PluginRegistry implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PluginRegistry.class);

    private final JarPlugins jars;
    private final Services services;
    private final List<PluginFailure> failures = new CopyOnWriteArrayList<>();

    /// The plugins that have not been left out.
    private volatile List<StarbasePlugin> plugins;

    private List<StarbasePlugin> started = List.of();
    private final RouteTable<PluginRoute> routes = new RouteTable<>();
    private final ProtectedTables protectedTables = new ProtectedTables();
    private final SqlFunctions functions = new SqlFunctions();
    private volatile FreshnessGate gate = FreshnessGate.NONE;
    private boolean isClosed;

    /// @throws PerigeeException [Fault#CONFIG_INVALID] if two plugins have the same name or path prefix, or a path
    ///     prefix is malformed
    public PluginRegistry(List<StarbasePlugin> plugins, Services services) {
        this(plugins, JarPlugins.NONE, services);
    }

    /// @param jars the plugins among `plugins` that come as jars
    /// @throws PerigeeException [Fault#CONFIG_INVALID] if two plugins have the same name or path prefix, or a path
    ///     prefix is malformed, unless the plugin is left out
    public PluginRegistry(List<StarbasePlugin> plugins, JarPlugins jars, Services services) {
        this.failures.addAll(jars.failures());
        this.jars = jars;
        this.services = services;
        Set<String> names = new HashSet<>();
        Set<String> prefixes = new HashSet<>();
        List<StarbasePlugin> usable = new ArrayList<>();
        for (StarbasePlugin plugin : plugins) {
            if (attempt(plugin, () -> check(plugin, names, prefixes))) usable.add(plugin);
        }
        this.plugins = List.copyOf(usable);
    }

    private static void check(StarbasePlugin plugin, Set<String> names, Set<String> prefixes) {
        if (names.contains(plugin.name())) throw refused(plugin, "another plugin has the same name");
        String prefix = plugin.pathPrefix();
        if (!prefix.isEmpty() && !prefix.matches("(/[A-Za-z0-9._~-]+)+")) {
            throw refused(plugin, "expected a path prefix like `/name` but found `%s`".formatted(prefix));
        }
        if (!prefix.isEmpty() && !prefixes.add(prefix)) {
            throw refused(plugin, "another plugin has the path prefix " + prefix);
        }
        names.add(plugin.name());
    }

    /// Runs a step of a plugin. If it fails and the plugin may be left out, the failure is logged and recorded;
    /// otherwise it is thrown.
    ///
    /// @return whether the step succeeded
    private boolean attempt(StarbasePlugin plugin, Runnable work) {
        if (jars.isFatal() || !jars.plugins().contains(plugin)) {
            work.run();
            return true;
        }
        try {
            work.run();
            return true;
        } catch (RuntimeException | Error e) {
            LOG.error("The plugin {} is left out", plugin.name(), e);
            failures.add(new PluginFailure(plugin.name(), String.valueOf(e.getMessage())));
            return false;
        }
    }

    /// Registers every plugin, then starts every plugin. If one fails and may not be left out, those started before it
    /// are stopped.
    ///
    /// @param queries runs the plugins' statements
    /// @throws PerigeeException naming the plugin, with the fault it met
    public synchronized void start(Queries queries) {
        Map<StarbasePlugin, RegisteredPlugin> hosts = new LinkedHashMap<>();
        RegisteredPlugin.Shared shared = new RegisteredPlugin.Shared(
                services, queries, routes, protectedTables, functions, this::tellCron, this::set);
        for (StarbasePlugin plugin : plugins) {
            RegisteredPlugin host = new RegisteredPlugin(plugin, shared);
            if (attempt(plugin, () -> call(plugin, "register", host::register))) hosts.put(plugin, host);
            else host.withdraw();
        }
        plugins = List.copyOf(hosts.keySet());
        List<StarbasePlugin> running = new ArrayList<>();
        hosts.forEach((plugin, host) -> {
            started = List.copyOf(running);
            try {
                boolean isStarted = attempt(plugin, () -> {
                    call(plugin, "start", plugin::start);
                    host.publish();
                });
                if (isStarted) running.add(plugin);
                else host.withdraw();
            } catch (RuntimeException | Error e) {
                close();
                throw e;
            }
        });
        started = List.copyOf(running);
        plugins = started;
    }

    /// The plugins that were left out, and why.
    public List<PluginFailure> failures() {
        return List.copyOf(failures);
    }

    /// The plugins' names, in their order.
    public List<String> names() {
        return plugins.stream().map(StarbasePlugin::name).toList();
    }

    /// All routes of the plugins, with their prefixes.
    public RouteTable<PluginRoute> routes() {
        return routes;
    }

    public ProtectedTables protectedTables() {
        return protectedTables;
    }

    public SqlFunctions functions() {
        return functions;
    }

    private void set(FreshnessGate known) {
        if (gate != FreshnessGate.NONE) throw new IllegalStateException("another plugin keeps the copies");
        gate = known;
    }

    /// How fresh the copies are.
    public FreshnessGate freshness() {
        return gate;
    }

    /// Whether any plugin's hooks may block or have side effects for this statement.
    public boolean mayWait(StatementCall call) {
        for (StarbasePlugin plugin : plugins) if (plugin.mayWait(call)) return true;
        return false;
    }

    /// Runs the `beforeQuery` hooks. An exception from one fails the query.
    ///
    /// @return the statement to run
    public StatementCall beforeQuery(StatementCall call) {
        StatementCall changed = call;
        for (StarbasePlugin plugin : plugins) changed = plugin.beforeQuery(changed);
        return changed;
    }

    /// Runs the `afterQuery` hooks. The first plugin sees the rows first, as they come.
    ///
    /// @return the sink for the answer's rows
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
                LOG.warn("Plugin {} failed while handling the task {}", plugin.name(), event.name(), e);
                failures.put(plugin.name(), String.valueOf(e.getMessage()));
            }
        }
        return failures;
    }

    /// Stops the plugins, last to first. One that fails is logged, and the others are still stopped. A second call does
    /// nothing.
    @Override
    public synchronized void close() {
        if (isClosed) return;
        isClosed = true;
        for (StarbasePlugin plugin : started.reversed()) {
            try {
                within(plugin, "stop", plugin::stop);
            } catch (RuntimeException | Error e) {
                LOG.error("Plugin {} failed to stop; the other plugins are stopped nevertheless", plugin.name(), e);
            }
        }
    }

    private void call(StarbasePlugin plugin, String step, Runnable work) {
        String state = "The server did not start";
        try {
            within(plugin, step, work);
        } catch (PerigeeException e) {
            throw e.fault().in(place(plugin), "%s failed: %s".formatted(step, e.getMessage()), state, e);
        } catch (RuntimeException | LinkageError | StackOverflowError e) {
            throw Fault.INTERNAL.in(place(plugin), "%s failed: %s".formatted(step, e), state, e);
        }
    }

    /// Runs a step of a plugin. For a plugin from a jar it runs on a thread of its own, which is interrupted past the
    /// limit and not waited for.
    private void within(StarbasePlugin plugin, String step, Runnable work) {
        if (!jars.plugins().contains(plugin)) {
            work.run();
            return;
        }
        FutureTask<Void> run = new FutureTask<>(work, null);
        Thread thread = Thread.ofPlatform()
                .daemon()
                .name("perigee-plugin-%s-%s".formatted(step, plugin.name()))
                .start(run);
        try {
            run.get(jars.limit().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            thread.interrupt();
            throw Fault.TIME_LIMIT.in(
                    place(plugin),
                    "it took longer than plugins.limit, which is %d ms"
                            .formatted(jars.limit().toMillis()),
                    "It was interrupted",
                    e);
        } catch (InterruptedException e) {
            thread.interrupt();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a plugin was called", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    private static PerigeeException refused(StarbasePlugin plugin, String what) {
        return Fault.CONFIG_INVALID.in(place(plugin), what, "The server did not start");
    }

    private static String place(StarbasePlugin plugin) {
        return "plugin " + plugin.name();
    }
}
