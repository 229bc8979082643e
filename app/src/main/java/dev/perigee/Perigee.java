package dev.perigee;

import dev.perigee.alarm.Alarms;
import dev.perigee.bundled.cdc.CdcPlugin;
import dev.perigee.bundled.cron.CronPlugin;
import dev.perigee.bundled.macros.SqlMacrosPlugin;
import dev.perigee.bundled.rest.RestPlugin;
import dev.perigee.bundled.socket.SocketPlugin;
import dev.perigee.bundled.studio.StudioPlugin;
import dev.perigee.bundled.transfer.ExportPlugin;
import dev.perigee.bundled.transfer.ImportPlugin;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.PluginsConfig;
import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.plugin.host.JarPlugins;
import dev.perigee.plugin.host.PluginJars;
import dev.perigee.plugin.host.PluginRegistry;
import dev.perigee.plugin.host.Services;
import dev.perigee.query.QueryEngine;
import dev.perigee.replication.ReplicationPlugin;
import dev.perigee.serve.Server;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.sqlite.SqliteLibrary;
import dev.perigee.store.Store;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The entry point: opens a complete Perigee in this process and wires its rooms together.
///
/// ```java
/// try (Perigee perigee = Perigee.open(config)) {
///     System.out.println("http://127.0.0.1:" + perigee.port());
/// }
/// ```
public final class Perigee implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Perigee.class);

    /// Everything that is open, the latest first: [#close()] closes it in this order.
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    private final List<StarbasePlugin> plugins;
    private final Store store;
    private final QueryEngine queries;
    private final Server server;

    /// Plugins run in the order `first`, `jars`, `last`.
    ///
    /// @param jars plugins loaded from jars; closed together with this Perigee
    private Perigee(
            PerigeeConfig config, List<StarbasePlugin> first, Optional<PluginJars> jars, List<StarbasePlugin> last) {
        List<StarbasePlugin> ofJars = jars.map(PluginJars::plugins).orElse(List.of());
        plugins = Stream.of(first, ofJars, last).flatMap(List::stream).toList();
        JarPlugins foreign = new JarPlugins(
                ofJars,
                config.bundled().plugins().isFatal(),
                config.bundled().plugins().limit(),
                jars.map(PluginJars::failures).orElse(List.of()));
        jars.ifPresent(this::opened);
        PrometheusRegistry metrics = new PrometheusRegistry();
        InstantSource clock = InstantSource.system();
        try {
            Server.prepare();
            store = opened(Store.open(config.store()));
            Optional<Source> source = config.source().map(wanted -> opened(source(wanted)));
            Alarms alarms = opened(new Alarms(store, clock));
            Services services = new Services(store, source, alarms, clock, metrics);
            PluginRegistry registry = opened(new PluginRegistry(plugins, foreign, services));
            queries = opened(new QueryEngine(store, source, registry, config.query()));
            boolean hasClients = config.serve().access().clientToken().isPresent()
                    || config.serve().access().jwksEndpoint().isPresent();
            // A worker takes long to start, so it starts first.
            if (hasClients || config.query().workers().forAdmins()) queries.warmUp();
            else warnOfKnownFault();
            server = opened(new Server(config.serve(), queries, registry, store, source, metrics));
            registry.start(queries);
            alarms.start();
            server.start();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /// Called where statements run in this process and not in workers, so a fault in SQLite can crash the server.
    private static void warnOfKnownFault() {
        SqliteLibrary.knownFault()
                .ifPresent(fault -> LOG.warn(
                        "SQLite {} ({}) has {}: an admin's statement can crash the server. Set query.adminsInWorkers to true,"
                                + " or name a newer library in PERIGEE_SQLITE_LIBRARY.",
                        SqliteLibrary.version(),
                        SqliteLibrary.origin(),
                        fault));
    }

    /// Configures a Perigee for a Java program that embeds it.
    public static PerigeeBuilder builder() {
        return new PerigeeBuilder();
    }

    /// Opens a Perigee with the plugins that ship and those in the jars of the configured folder.
    ///
    /// @throws dev.perigee.fault.PerigeeException naming what did not open; nothing is left open
    public static Perigee open(PerigeeConfig config) {
        return open(config, bundled(config), List.of());
    }

    /// Opens a Perigee with exactly these plugins, in their order. No jars are loaded.
    public static Perigee open(PerigeeConfig config, List<StarbasePlugin> plugins) {
        return new Perigee(config, plugins, Optional.empty(), List.of());
    }

    static Perigee open(PerigeeConfig config, List<StarbasePlugin> bundled, List<StarbasePlugin> added) {
        PluginsConfig wanted = config.bundled().plugins();
        Path folder = wanted.directory().orElse(config.store().directory().resolve("plugins"));
        PluginJars jars = PluginJars.load(folder, wanted.settings(), wanted.isFatal());
        return new Perigee(config, bundled, Optional.of(jars), added);
    }

    static List<StarbasePlugin> bundled(PerigeeConfig config) {
        ExportPlugin exports = new ExportPlugin();
        return List.of(
                new ReplicationPlugin(config.replication()),
                new SqlMacrosPlugin(),
                new RestPlugin(),
                exports,
                new ImportPlugin(config.bundled().maxImportBytes()),
                new SocketPlugin(),
                new CdcPlugin(),
                new CronPlugin(config.bundled().cron(), config.serve().access().adminToken()),
                new StudioPlugin(config.bundled().studio(), config.query(), exports));
    }

    /// The port the server listens on.
    public int port() {
        return server.port();
    }

    /// The replica, for programs that embed Perigee.
    public Store store() {
        return store;
    }

    /// The plugin that keeps the copies up to date; empty if it is not among the plugins.
    public Optional<ReplicationPlugin> replication() {
        return plugins.stream()
                .filter(ReplicationPlugin.class::isInstance)
                .map(ReplicationPlugin.class::cast)
                .findFirst();
    }

    /// Runs statements with a caller's rights, as the server does.
    public QueryEngine queries() {
        return queries;
    }

    /// Closes everything in reverse order of opening: running requests finish, plugins stop, then the replica is closed
    /// in a consistent state. A second call does nothing.
    @Override
    public synchronized void close() {
        while (!opened.isEmpty()) {
            AutoCloseable room = opened.pop();
            try {
                room.close();
            } catch (Exception e) {
                LOG.error("{} did not close properly", room.getClass().getSimpleName(), e);
            }
        }
    }

    /// Opens a source without a server. It connects when it is first used, not here.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFIG_INVALID] if the type is not `postgresql`
    public static Source source(SourceConfig config) {
        return switch (config.type()) {
            case "postgresql" -> new PostgresSource(config);
            default ->
                throw Fault.CONFIG_INVALID.in(
                        "source " + config.place(),
                        "there is no source of type `%s`, only `postgresql`".formatted(config.type()),
                        "Perigee did not open");
        };
    }

    private <T extends AutoCloseable> T opened(T room) {
        opened.push(room);
        return room;
    }
}
