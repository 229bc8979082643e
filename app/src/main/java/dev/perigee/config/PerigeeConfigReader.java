package dev.perigee.config;

import dev.perigee.config.SourceParts.Limits;
import dev.perigee.config.SourceParts.Part;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// Reads the configuration of a server: what the command line says, else the environment, else `perigee.yaml`, else
/// the defaults. Every mistake of all three is reported at once.
public final class PerigeeConfigReader {
    /// What the command line says.
    public record Overrides(Optional<Path> directory, Optional<String> host, OptionalInt port) {
        public static final Overrides NONE = new Overrides(Optional.empty(), Optional.empty(), OptionalInt.empty());
    }

    /// Where a server listens unless told otherwise.
    public static final int DEFAULT_PORT = 8787;

    /// The data folder unless told otherwise, in the working directory.
    public static final Path DEFAULT_DIRECTORY = Path.of("data");

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final long KB = 1L << 10;
    private static final long MB = 1L << 20;
    private static final long TB = 1L << 40;
    private static final int MAX_TABLES = 10_000;
    private static final Set<String> ALGORITHMS =
            Set.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512");

    private final Section root;
    private final Overrides overrides;
    private final Map<String, String> environment;
    private final Mistakes mistakes;

    private PerigeeConfigReader(Section root, Overrides overrides, Map<String, String> environment, Mistakes mistakes) {
        this.root = root;
        this.overrides = overrides;
        this.environment = environment;
        this.mistakes = mistakes;
    }

    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#CONFIG_INVALID] with every mistake: where,
    ///     which field, what was expected
    public static PerigeeConfig read(Optional<Path> file, Overrides overrides, Map<String, String> environment) {
        Mistakes mistakes = new Mistakes();
        String label = file.map(Path::toString).orElse("perigee.yaml");
        YamlFile yaml = new YamlFile(label, environment, mistakes);
        Optional<Section> root =
                file.map(path -> text(path, mistakes)).orElse(Optional.of("")).flatMap(yaml::read);
        Section read = root.orElseGet(() -> new Section(yaml, "", null));
        PerigeeConfigReader reader = new PerigeeConfigReader(read, overrides, environment, mistakes);
        PerigeeConfig config = new PerigeeConfig(
                reader.store(), reader.serve(), reader.query(), reader.source(), reader.replication());
        read.done();
        mistakes.refuse();
        return config;
    }

    private static Optional<String> text(Path file, Mistakes mistakes) {
        try {
            return Optional.of(Files.readString(file, StandardCharsets.UTF_8));
        } catch (IOException e) {
            mistakes.add("command line", "--config", "expected a file of UTF-8 text, but reading it says " + e);
            return Optional.empty();
        }
    }

    private StoreConfig store() {
        Section section = root.section("store");
        Optional<Path> directory = section.text("directory").flatMap(text -> path(section, text));
        StoreConfig base =
                StoreConfig.of(overrides.directory().or(() -> directory).orElse(DEFAULT_DIRECTORY));
        String fileName = section.text(
                "fileName",
                base.fileName(),
                name -> name.matches("[^/\\\\\\x00]{1,200}") && !name.matches("\\.{1,2}"),
                "expected a file's name without its folder");
        StoreConfig store = new StoreConfig(
                base.directory(),
                fileName,
                section.whole("readers", 1, 64, base.readers()),
                section.whole("writeQueue", 1, 100_000, base.writeQueue()),
                section.bytes("walLimitBytes", MB, TB, base.walLimitBytes()),
                section.bytes("checkpointBytes", 64 * KB, TB, base.checkpointBytes()),
                section.bytes("pageCacheBytes", 64 * KB, 16L << 30, base.pageCacheBytes()),
                section.duration("lockWait", Duration.ZERO, HOUR, base.lockWait()));
        if (store.checkpointBytes() >= store.walLimitBytes()) {
            section.wrong("checkpointBytes", "expected less than store.walLimitBytes");
        }
        section.done();
        return store;
    }

    private static Optional<Path> path(Section section, String text) {
        try {
            return Optional.of(Path.of(text));
        } catch (InvalidPathException e) {
            section.wrong("directory", "expected a folder's path");
            return Optional.empty();
        }
    }

    private ServeConfig serve() {
        Section section = root.section("serve");
        ServeConfig base = ServeConfig.of(DEFAULT_PORT, "");
        Optional<String> admin = given("ADMIN_AUTHORIZATION_TOKEN", section.text("adminToken"));
        Optional<String> client = given("CLIENT_AUTHORIZATION_TOKEN", section.text("clientToken"));
        if (admin.isEmpty()) {
            mistakes.add(
                    Mistakes.ENVIRONMENT,
                    "ADMIN_AUTHORIZATION_TOKEN",
                    "expected the admin's token; make one with: export ADMIN_AUTHORIZATION_TOKEN=$(openssl rand -hex 24)");
        }
        checkToken("ADMIN_AUTHORIZATION_TOKEN", admin);
        checkToken("CLIENT_AUTHORIZATION_TOKEN", client);
        if (admin.isPresent() && admin.equals(client)) {
            mistakes.add(
                    Mistakes.ENVIRONMENT,
                    "CLIENT_AUTHORIZATION_TOKEN",
                    "expected another token than the admin's, which would make every client an admin");
        }
        String algorithm = section.text("jwtAlgorithm", base.jwtAlgorithm());
        algorithm = given("AUTH_ALGORITHM", Optional.of(algorithm)).orElse(algorithm);
        if (!ALGORITHMS.contains(algorithm)) {
            section.wrong(
                    "jwtAlgorithm",
                    "expected one of %s (also: AUTH_ALGORITHM)"
                            .formatted(String.join(
                                    ", ", ALGORITHMS.stream().sorted().toList())));
        }
        Optional<String> keys = given("AUTH_JWKS_ENDPOINT", section.text("jwksEndpoint"));
        if (keys.filter(url -> !url.matches("https?://[^\\s/]+.*")).isPresent()) {
            section.wrong("jwksEndpoint", "expected an address such as https://… (also: AUTH_JWKS_ENDPOINT)");
        }
        ServeConfig serve = new ServeConfig(
                overrides.host().orElse(section.text("host", base.host())),
                port(section, base),
                admin.orElse(""),
                client,
                keys,
                algorithm,
                section.texts("allowedOrigins", base.allowedOrigins()),
                section.bytes("maxBodyBytes", KB, 1L << 30, base.maxBodyBytes()),
                section.whole("maxConnections", 1, 100_000, base.maxConnections()),
                section.duration("requestTimeout", SECOND, DAY, base.requestTimeout()),
                section.duration("shutdownGrace", Duration.ZERO, HOUR, base.shutdownGrace()));
        for (String origin : serve.allowedOrigins()) {
            if (!origin.matches("\\*|https?://[^\\s/]+")) {
                section.wrong("allowedOrigins", "expected * or origins such as https://app.example.com");
            }
        }
        section.done();
        return serve;
    }

    private int port(Section section, ServeConfig base) {
        int port = section.whole("port", 0, 65_535, base.port());
        return overrides.port().orElse(port);
    }

    /// A header could not carry it.
    private void checkToken(String name, Optional<String> token) {
        if (token.filter(text -> !text.matches("[\\x21-\\x7e]+")).isPresent()) {
            mistakes.add(Mistakes.ENVIRONMENT, name, "expected visible ASCII characters without blanks");
        }
    }

    /// The environment's word, else the file's; an empty one is none.
    private Optional<String> given(String variable, Optional<String> otherwise) {
        return Optional.ofNullable(environment.get(variable))
                .filter(value -> !value.isEmpty())
                .or(() -> otherwise.filter(value -> !value.isEmpty()));
    }

    private QueryConfig query() {
        Section section = root.section("query");
        QueryConfig base = QueryConfig.defaults();
        QueryConfig query = new QueryConfig(
                section.duration("readLimit", Duration.ofMillis(1), DAY, base.readLimit()),
                section.duration("writeLimit", Duration.ofMillis(1), HOUR, base.writeLimit()),
                Math.toIntExact(section.bytes("maxStatementBytes", 100, 1_000_000_000, base.maxStatementBytes())),
                section.whole("maxRows", 1, Long.MAX_VALUE / 10, base.maxRows()),
                section.whole("maxTransactionStatements", 1, 1_000_000, base.maxTransactionStatements()));
        section.done();
        return query;
    }

    private Optional<SourceConfig> source() {
        Section section = root.section("source");
        SourceParts fromFile = section.text("url")
                .map(url -> SourceUrl.read(url, section.place("url"), "source.url", mistakes))
                .orElseGet(SourceParts::new);
        for (Part part : Part.values()) {
            section.text(part.field())
                    .ifPresent(value ->
                            fromFile.put(part, value, section.place(part.field()), "source." + part.field(), mistakes));
        }
        section.pairs("options")
                .forEach((name, value) ->
                        fromFile.option(name, value, section.place("options"), "source.options." + name, mistakes));
        Limits limits = new Limits(
                section.whole("maxConnections", 1, 1000, Limits.DEFAULT.maxConnections()),
                section.duration("connectTimeout", SECOND, Duration.ofMinutes(5), Limits.DEFAULT.connectTimeout()),
                section.duration("statementTimeout", Duration.ZERO, DAY, Limits.DEFAULT.statementTimeout()));
        section.done();

        SourceParts fromEnvironment = SourceEnvironment.read(environment, mistakes);
        SourceParts parts = fromFile.under(fromEnvironment);
        if (parts.isEmpty()) return Optional.empty();
        if (fromFile.isEmpty()) SourceEnvironment.checkPlace(parts, mistakes);
        return parts.config(limits, SourceEnvironment.password(environment), mistakes);
    }

    private ReplicationConfig replication() {
        Section section = root.section("replication");
        ReplicationConfig base = ReplicationConfig.defaults();
        ReplicationConfig replication = new ReplicationConfig(
                tables(section),
                section.whole("parallelTables", 1, 32, base.parallelTables()),
                section.whole("keepRuns", 1, 100_000, base.keepRuns()),
                section.duration("retryFirst", Duration.ofMillis(100), HOUR, base.retryFirst()),
                section.duration("retryMax", Duration.ofMillis(100), DAY, base.retryMax()));
        if (replication.retryFirst().compareTo(replication.retryMax()) > 0) {
            section.wrong("retryFirst", "expected no more than replication.retryMax");
        }
        section.done();
        return replication;
    }

    private static List<TableConfig> tables(Section section) {
        List<Section> sections = section.sections("tables");
        if (sections.size() > MAX_TABLES) section.wrong("tables", "expected at most %d tables".formatted(MAX_TABLES));
        List<TableConfig> tables = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Section table : sections) {
            if (!table.isMapping()) continue; // Which is reported already.
            TableSettings.read(table.plain(), Optional.empty(), table::wrong).ifPresent(config -> {
                if (names.add(config.name())) tables.add(config);
                else table.wrong("name", "the table is there twice");
            });
        }
        return tables;
    }
}
