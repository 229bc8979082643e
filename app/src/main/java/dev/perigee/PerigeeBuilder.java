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

/// A Perigee for a Java program, with the defaults that `perigee serve` has.
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

    /// The data folder; `data` in the working directory unless set.
    public PerigeeBuilder data(Path folder) {
        data = Optional.of(folder);
        return this;
    }

    /// The address to listen on; 127.0.0.1 unless set.
    public PerigeeBuilder host(String address) {
        host = Optional.of(address);
        return this;
    }

    /// The port to listen on, 0 for a free one; 8787 unless set.
    public PerigeeBuilder port(int number) {
        port = OptionalInt.of(number);
        return this;
    }

    /// Needed.
    public PerigeeBuilder adminToken(String token) {
        environment.put("ADMIN_AUTHORIZATION_TOKEN", token);
        return this;
    }

    /// Without it nobody is a client by token.
    public PerigeeBuilder clientToken(String token) {
        environment.put("CLIENT_AUTHORIZATION_TOKEN", token);
        return this;
    }

    /// The external database, as `postgres://user:password@host:5432/name?sslmode=require`.
    public PerigeeBuilder source(String url) {
        environment.put("EXTERNAL_DB_URL", url);
        return this;
    }

    /// A table to replicate.
    public PerigeeBuilder table(TableConfig table) {
        tables.add(table);
        return this;
    }

    /// A plugin of the program's own, behind those that ship and those that come as jars. One that fails keeps Perigee
    /// from starting.
    public PerigeeBuilder plugin(StarbasePlugin plugin) {
        plugins.add(plugin);
        return this;
    }

    /// Changes whatever else can be configured.
    public PerigeeBuilder configure(UnaryOperator<PerigeeConfig> more) {
        UnaryOperator<PerigeeConfig> before = change;
        change = config -> more.apply(before.apply(config));
        return this;
    }

    /// Opens the replica and listens.
    ///
    /// @throws dev.perigee.fault.PerigeeException naming every setting that is wrong, or what did not open; nothing
    ///     stays open then
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
                standard.adminsWriteCopies());
        PerigeeConfig config =
                new PerigeeConfig(read.store(), read.serve(), read.query(), read.source(), replication, read.bundled());
        return Perigee.open(change.apply(config), Perigee.bundled(config), plugins);
    }
}
