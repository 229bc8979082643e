package dev.perigee;

import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.PerigeeConfigReader;
import dev.perigee.config.PerigeeConfigReader.Overrides;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.plugin.StarbasePlugin;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/// Builds a Perigee for a Java program, with the same defaults as `perigee serve`. Settings come from this builder
/// alone: environment variables and `perigee.yaml` are ignored.
///
/// ```java
/// try (Perigee perigee = Perigee.builder().data(Path.of("data")).adminToken(token).port(0).start()) {
///     System.out.println("http://127.0.0.1:" + perigee.port());
/// }
/// ```
public final class PerigeeBuilder {
    private final Map<String, String> environment = new HashMap<>();
    private final List<TableConfig> tables = new ArrayList<>();
    private final List<StarbasePlugin> plugins = new ArrayList<>();
    private Optional<Path> data = Optional.empty();
    private Optional<String> host = Optional.empty();
    private OptionalInt port = OptionalInt.empty();
    private UnaryOperator<PerigeeConfig> change = config -> config;

    PerigeeBuilder() {}

    /// The data folder; default `data` in the working directory.
    public PerigeeBuilder data(Path folder) {
        data = Optional.of(folder);
        return this;
    }

    /// The address to listen on; default 127.0.0.1.
    public PerigeeBuilder host(String address) {
        host = Optional.of(address);
        return this;
    }

    /// The port to listen on; 0 picks a free one; default 8787.
    public PerigeeBuilder port(int number) {
        port = OptionalInt.of(number);
        return this;
    }

    /// The token that makes a caller an admin. Required.
    public PerigeeBuilder adminToken(String token) {
        environment.put("ADMIN_AUTHORIZATION_TOKEN", token);
        return this;
    }

    /// The token that makes a caller a client. Without it no token does.
    public PerigeeBuilder clientToken(String token) {
        environment.put("CLIENT_AUTHORIZATION_TOKEN", token);
        return this;
    }

    /// The external database, as `postgres://user:password@host:5432/name?sslmode=require`.
    public PerigeeBuilder source(String url) {
        environment.put("EXTERNAL_DB_URL", url);
        return this;
    }

    /// Adds a table to replicate.
    public PerigeeBuilder table(TableConfig table) {
        tables.add(table);
        return this;
    }

    /// Adds a plugin of the program's own. It runs after the plugins that ship and those from jars. If it fails,
    /// Perigee does not start.
    public PerigeeBuilder plugin(StarbasePlugin plugin) {
        plugins.add(plugin);
        return this;
    }

    /// Adds a change to any other setting; changes are applied in the order in which they were added.
    public PerigeeBuilder configure(UnaryOperator<PerigeeConfig> more) {
        UnaryOperator<PerigeeConfig> before = change;
        change = config -> more.apply(before.apply(config));
        return this;
    }

    /// Opens the replica and starts to listen.
    ///
    /// @throws dev.perigee.fault.PerigeeException naming every setting that is wrong, or what did not open; nothing is
    ///     left open
    public Perigee start() {
        PerigeeConfig read =
                PerigeeConfigReader.read(Optional.empty(), new Overrides(data, host, port), Map.copyOf(environment));
        ReplicationConfig standard = read.replication();
        ReplicationConfig replication = new ReplicationConfig(
                tables,
                standard.parallelTables(),
                standard.keepRuns(),
                standard.retryFirst(),
                standard.retryMax(),
                standard.verifyRowsPerSecond(),
                standard.adminsWriteCopies(),
                standard.minFreshInterval(),
                Map.of());
        PerigeeConfig config = change.apply(new PerigeeConfig(
                read.store(), read.serve(), read.query(), read.source(), replication, read.bundled()));
        return Perigee.open(config, Perigee.bundled(config), plugins);
    }
}
