package dev.perigee.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Reads the configuration of a server. The command line wins over the environment, the environment over
/// `perigee.yaml`, and the file over the defaults. The mistakes of all three are reported together.
public final class PerigeeConfigReader {
    /// Settings from the command line.
    public record Overrides(Optional<Path> directory, Optional<String> host, OptionalInt port) {
        public static final Overrides NONE = new Overrides(Optional.empty(), Optional.empty(), OptionalInt.empty());
    }

    /// The port a server listens on by default.
    public static final int DEFAULT_PORT = 8787;

    /// The default data folder, in the working directory.
    public static final Path DEFAULT_DIRECTORY = Path.of("data");

    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final long KB = 1L << 10;
    private static final long MB = 1L << 20;
    private static final long TB = 1L << 40;
    private static final int MAX_TABLES = 10_000;

    private final Section root;
    private final Overrides overrides;
    private final Map<String, String> environment;

    private PerigeeConfigReader(Section root, Overrides overrides, Map<String, String> environment) {
        this.root = root;
        this.overrides = overrides;
        this.environment = environment;
    }

    /// Reads and checks the whole configuration.
    ///
    /// @param file the configuration file; empty for none
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#CONFIG_INVALID] with every mistake: its
    ///     place, the field, what was expected
    public static PerigeeConfig read(Optional<Path> file, Overrides overrides, Map<String, String> environment) {
        ConfigErrors mistakes = new ConfigErrors();
        String label = file.map(Path::toString).orElse("perigee.yaml");
        YamlFile yaml = new YamlFile(label, environment, mistakes);
        Optional<Section> root =
                file.map(path -> text(path, mistakes)).orElse(Optional.of("")).flatMap(yaml::read);
        Section read = root.orElseGet(() -> new Section(yaml, "", null));
        PerigeeConfigReader reader = new PerigeeConfigReader(read, overrides, environment);
        PerigeeConfig config = new PerigeeConfig(
                reader.store(),
                new ServeSettings(read.section("serve"), environment).read(overrides),
                reader.query(),
                new SourceSettings(read.section("source"), environment).read(),
                reader.replication(),
                new BundledSettings(read, environment).read());
        read.done();
        mistakes.refuse();
        return config;
    }

    private static Optional<String> text(Path file, ConfigErrors mistakes) {
        try {
            return Optional.of(Files.readString(file, StandardCharsets.UTF_8));
        } catch (IOException e) {
            mistakes.add("command line", "--config", unreadable(file, e));
            return Optional.empty();
        }
    }

    private static String unreadable(Path file, IOException e) {
        if (Files.isDirectory(file)) return "%s is a folder, expected a file".formatted(file);
        return switch (e) {
            case NoSuchFileException _ -> "there is no file %s".formatted(file);
            case AccessDeniedException _ -> "no permission to read %s".formatted(file);
            case CharacterCodingException _ -> "%s is not UTF-8 text".formatted(file);
            default -> "%s cannot be read: %s".formatted(file, e.getMessage());
        };
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
                section.whole("readers", StoreConfig.MIN_READERS, 64, base.readers()),
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

    private QueryConfig query() {
        Section section = root.section("query");
        QueryConfig base = QueryConfig.defaults();
        QueryConfig query = new QueryConfig(
                new QueryConfig.Limits(
                        section.duration(
                                "readLimit",
                                Duration.ofMillis(1),
                                DAY,
                                base.limits().readLimit()),
                        section.duration(
                                "writeLimit",
                                Duration.ofMillis(1),
                                HOUR,
                                base.limits().writeLimit()),
                        Math.toIntExact(section.bytes(
                                "maxStatementBytes",
                                100,
                                1_000_000_000,
                                base.limits().maxStatementBytes())),
                        section.whole(
                                "maxRows", 1, Long.MAX_VALUE / 10, base.limits().maxRows()),
                        section.whole(
                                "maxTransactionStatements",
                                1,
                                1_000_000,
                                base.limits().maxTransactionStatements()),
                        section.bytes("maxWriteBytes", MB, TB, base.limits().maxWriteBytes()),
                        section.bytes(
                                "maxDatabaseBytes", MB, 1024 * TB, base.limits().maxDatabaseBytes())),
                isOn(section, "rowLevelSecurity", "ENABLE_RLS"),
                isOn(section, "allowlist", "ENABLE_ALLOWLIST"),
                isOn(section, "log", "ENABLE_QUERY_LOG"),
                section.duration("cacheTime", Duration.ofSeconds(1), DAY, base.cacheTime()),
                new WorkerConfig(
                        section.whole(
                                "workers",
                                1,
                                WorkerConfig.MAX_SIZE,
                                base.workers().size()),
                        section.bytes(
                                "workerMemoryBytes", 32 * MB, TB, base.workers().memoryBytes()),
                        section.flag("adminsInWorkers", false)));
        section.done();
        return query;
    }

    /// A switch: the environment's variable if it is set, else the file's setting, else off.
    private boolean isOn(Section section, String name, String variable) {
        String expected = "expected true or false (also: %s)".formatted(variable);
        String text = section.text(name, "false", value -> value.matches("true|false"), expected);
        String given = environment.getOrDefault(variable, "");
        if (given.isEmpty()) return text.equals("true");
        if (!given.matches("(?i)true|false|1|0")) {
            section.mistakes().add(ConfigErrors.ENVIRONMENT, variable, "expected true or false");
        }
        return given.matches("(?i)true|1");
    }

    private ReplicationConfig replication() {
        Section section = root.section("replication");
        ReplicationConfig base = ReplicationConfig.defaults();
        Map<String, String> places = new HashMap<>();
        ReplicationConfig replication = new ReplicationConfig(
                tables(section, places),
                section.whole("parallelTables", 1, 32, base.parallelTables()),
                section.whole("keepRuns", 1, 100_000, base.keepRuns()),
                section.duration("retryFirst", Duration.ofMillis(100), HOUR, base.retryFirst()),
                section.duration("retryMax", Duration.ofMillis(100), DAY, base.retryMax()),
                section.whole("verifyRowsPerSecond", 0, 1_000_000_000, base.verifyRowsPerSecond()),
                section.flag("adminsWriteCopies", base.adminsWriteCopies()),
                section.duration("minFreshInterval", Duration.ofMillis(1), HOUR, base.minFreshInterval()),
                places);
        if (replication.retryFirst().compareTo(replication.retryMax()) > 0) {
            section.wrong("retryFirst", "expected no more than replication.retryMax");
        }
        section.done();
        return replication;
    }

    /// @param places is filled with the place in the file where each table is named
    private static List<TableConfig> tables(Section section, Map<String, String> places) {
        List<Section> sections = section.sections("tables");
        if (sections.size() > MAX_TABLES) section.wrong("tables", "expected at most %d tables".formatted(MAX_TABLES));
        List<TableConfig> tables = new ArrayList<>();
        for (Section table : sections) {
            if (!table.isMapping()) continue; // already reported
            TableSettings.read(table.plain(), Optional.empty(), table::wrong).ifPresent(config -> {
                String place = table.place("name");
                if (places.putIfAbsent(config.name(), place) == null) tables.add(config);
                else table.wrong("name", "the table is listed twice");
            });
        }
        return tables;
    }
}
