package dev.perigee.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.PerigeeConfigReader.Overrides;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Each setting lands in the component of its name, and nowhere else. The records are made by position, and neighbours
/// of one type are easily swapped.
class ConfigMappingTest {
    /// @param section of `perigee.yaml`; `tables` for a table's settings
    /// @param settings what is set there, as YAML
    /// @param changed the components that are other than before, with their values
    private record Case(String section, String settings, Map<String, String> changed) {
        /// The same where the component has another name than the setting.
        Case at(String component) {
            return new Case(
                    section,
                    settings,
                    Map.of(component, changed.values().iterator().next()));
        }

        @Override
        public String toString() {
            return section + ": " + settings;
        }
    }

    /// What has to be there beside the one setting that is looked at.
    private static final Map<String, Map<String, String>> NEEDED = Map.of(
            "serve", Map.of("adminToken", "a", "tlsCertificate", "before.crt", "tlsKey", "before.key"),
            "source", Map.of("host", "h", "user", "u", "database", "d", "password", "p"),
            "studio", Map.of("user", "u", "password", "p"),
            "tables", Map.of("name", "t", "cursorColumn", "c"));

    private static final List<Case> CASES = List.of(
            one("store", "directory", "elsewhere"),
            one("store", "fileName", "r.db"),
            one("store", "readers", "9"),
            one("store", "writeQueue", "7"),
            one("store", "walLimitBytes", "77777777"),
            one("store", "checkpointBytes", "99999"),
            one("store", "pageCacheBytes", "88888"),
            one("store", "lockWait", "3s", "PT3S"),
            one("serve", "host", "0.0.0.0"),
            one("serve", "port", "1"),
            one("serve", "adminToken", "b").at("serve.access.adminToken"),
            one("serve", "clientToken", "c").at("serve.access.clientToken"),
            one("serve", "jwksEndpoint", "https://k/j").at("serve.access.jwksEndpoint"),
            one("serve", "jwtAlgorithm", "ES256").at("serve.access.jwtAlgorithm"),
            one("serve", "allowedOrigins", "[https://o]"),
            one("serve", "freshnessCookie", "true"),
            one("serve", "maxBodyBytes", "2048").at("serve.limits.maxBodyBytes"),
            one("serve", "maxConnections", "5").at("serve.limits.maxConnections"),
            one("serve", "requestTimeout", "2s", "PT2S").at("serve.limits.requestTimeout"),
            one("serve", "shutdownGrace", "3s", "PT3S").at("serve.limits.shutdownGrace"),
            one("serve", "hosts", "[db.example.com]").at("serve.surface.hosts"),
            one("serve", "requestsPerSecond", "11").at("serve.surface.requestsPerSecond"),
            one("serve", "failuresPerMinute", "12").at("serve.surface.failuresPerMinute"),
            one("serve", "compat", "strict", "true").at("serve.surface.isStrict"),
            one("serve", "tlsCertificate", "after.crt").at("serve.surface.tls.certificate"),
            one("serve", "tlsKey", "after.key").at("serve.surface.tls.key"),
            one("serve", "audit", "true").at("serve.surface.isAudited"),
            one("serve", "adminPlaces", "13").at("serve.surface.crowd.adminPlaces"),
            one("serve", "minBodyBytesPerSecond", "14").at("serve.surface.crowd.minBodyBytesPerSecond"),
            one("serve", "maxConnectionsPerAddress", "15").at("serve.surface.crowd.maxConnectionsPerAddress"),
            one("query", "readLimit", "2s", "PT2S").at("query.limits.readLimit"),
            one("query", "writeLimit", "3s", "PT3S").at("query.limits.writeLimit"),
            one("query", "maxStatementBytes", "500").at("query.limits.maxStatementBytes"),
            one("query", "maxRows", "4").at("query.limits.maxRows"),
            one("query", "maxTransactionStatements", "2").at("query.limits.maxTransactionStatements"),
            one("query", "maxWriteBytes", "3333333").at("query.limits.maxWriteBytes"),
            one("query", "rowLevelSecurity", "true"),
            one("query", "allowlist", "true"),
            one("query", "log", "true"),
            one("query", "cacheTime", "5s", "PT5S"),
            one("query", "maxDatabaseBytes", "4444444").at("query.limits.maxDatabaseBytes"),
            one("query", "workers", "3").at("query.workers.size"),
            one("query", "workerMemoryBytes", "55555555").at("query.workers.memoryBytes"),
            one("query", "adminsInWorkers", "true").at("query.workers.forAdmins"),
            one("source", "host", "elsewhere"),
            one("source", "port", "1"),
            one("source", "user", "x"),
            one("source", "password", "y"),
            one("source", "database", "z"),
            one("source", "defaultSchema", "sales"),
            one("source", "options", "{sslmode: require}", "{sslmode=require}"),
            one("source", "maxConnections", "3").at("source.limits.maxConnections"),
            one("source", "connectTimeout", "2s", "PT2S").at("source.limits.connectTimeout"),
            one("source", "statementTimeout", "3s", "PT3S").at("source.limits.statementTimeout"),
            one("replication", "parallelTables", "4"),
            one("replication", "keepRuns", "3"),
            one("replication", "retryFirst", "2s", "PT2S"),
            one("replication", "retryMax", "3s", "PT3S"),
            one("replication", "verifyRowsPerSecond", "6"),
            one("replication", "adminsWriteCopies", "true"),
            one("replication", "minFreshInterval", "7s", "PT7S"),
            one("tables", "name", "other"),
            one("tables", "cursorColumn", "other").at("tables.finding.cursorColumn"),
            one("tables", "interval", "2s", "PT2S").at("tables.schedule.interval"),
            one("tables", "intervalMs", "3000", "PT3S").at("tables.schedule.interval"),
            one("tables", "idleInterval", "5m", "PT5M").at("tables.schedule.idleInterval"),
            one("tables", "cron", "\"0 3 * * *\"", "0 3 * * *").at("tables.schedule.cron"),
            new Case(
                    "tables",
                    "cron: \"0 3 * * *\", timeZone: Europe/Zurich",
                    Map.of("tables.schedule.cron", "0 3 * * *", "tables.schedule.timeZone", "Europe/Zurich")),
            new Case(
                    "tables",
                    "mode: full, cursorColumn: ",
                    Map.of("tables.finding.mode", "FULL", "tables.finding.cursorColumn", "")),
            one("tables", "key", "[k]").at("tables.layout.key"),
            one("tables", "columns", "[d]").at("tables.layout.columns"),
            one("tables", "exclude", "[x]").at("tables.layout.exclude"),
            one("tables", "target", "copy").at("tables.layout.target"),
            one("tables", "pageRows", "8"),
            one("tables", "nullCursor", "reject", "REJECT").at("tables.finding.nullCursor"),
            one("tables", "indexes", "true").at("tables.layout.indexes"),
            one("tables", "numeric", "text", "TEXT").at("tables.layout.numeric"),
            one("tables", "timestamps", "epoch_micros", "EPOCH_MICROS").at("tables.layout.timestamps"),
            one("tables", "group", "g"),
            one("tables", "settle", "4s", "PT4S").at("tables.promises.settle"),
            one("tables", "stampedBy", "client", "CLIENT").at("tables.promises.stampedBy"),
            one("tables", "verify", "5h", "PT5H").at("tables.promises.verify"),
            one("tables", "deletes", "soft(gone)").at("tables.promises.deletes"),
            one("tables", "maxDeletedShare", "0.5").at("tables.promises.maxDeletedShare"),
            one("tables", "droppedColumns", "drop", "DROP").at("tables.layout.droppedColumns"),
            one("tables", "rowSecurity", "filtered", "FILTERED").at("tables.reading.rowSecurity"),
            one("tables", "columns", "{a: md5(a)}", "{a=md5(a)}").at("tables.reading.masks"),
            one("tables", "where", "a > 1").at("tables.reading.where"),
            one("tables", "paused", "true").at("tables.schedule.paused"),
            one("cron", "secret", "s").at("bundled.cron.secret"),
            one("cron", "missed", "skip", "SKIP").at("bundled.cron.missed"),
            one("cron", "callbackHosts", "[app.example.com]").at("bundled.cron.callbackHosts"),
            one("cron", "pluginLimit", "2s", "PT2S").at("bundled.cron.pluginLimit"),
            one("import", "maxBytes", "4096").at("bundled.maxImportBytes"),
            one("studio", "user", "x").at("bundled.studio.user"),
            one("studio", "password", "y").at("bundled.studio.password"),
            one("plugins", "directory", "jars").at("bundled.plugins.directory"),
            one("plugins", "onFailure", "fail", "true").at("bundled.plugins.isFatal"),
            one("plugins", "settings", "{p: {a: b}}", "{p={a=b}}").at("bundled.plugins.settings"),
            one("plugins", "limit", "2s", "PT2S").at("bundled.plugins.limit"));

    /// Where the file names the tables: not a setting.
    private static final String NO_SETTING = "replication.places";

    /// `postgresql` is the only one there is.
    private static final Set<String> CANNOT_BE_OTHER = Set.of("source.type");

    @TempDir
    private Path folder;

    private static Case one(String section, String name, String value) {
        return one(section, name, value, value);
    }

    private static Case one(String section, String name, String value, String read) {
        return new Case(section, name + ": " + value, Map.of(section + "." + name, read));
    }

    static List<Case> cases() {
        return CASES;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void a_setting_changes_the_component_of_its_name_and_no_other(Case setting) throws IOException {
        Map<String, String> before = components(read(Optional.empty()));
        Map<String, String> after = components(read(Optional.of(setting)));

        assertThat(changed(before, after)).isEqualTo(new TreeMap<>(setting.changed()));
    }

    @Test
    void every_component_is_among_the_cases() throws IOException {
        Set<String> looked = new TreeSet<>(CANNOT_BE_OTHER);
        CASES.forEach(setting -> looked.addAll(setting.changed().keySet()));

        assertThat(looked).isEqualTo(components(read(Optional.empty())).keySet());
    }

    /// The copies that are made by hand.
    @Test
    void a_record_with_another_value_keeps_all_others() throws IOException {
        QueryConfig query = new QueryConfig(
                new QueryConfig.Limits(Duration.ofSeconds(1), Duration.ofSeconds(2), 3, 4, 5, 6, 8),
                true,
                false,
                true,
                Duration.ofSeconds(7),
                new WorkerConfig(9, 10, true));
        assertThat(changed(query, query.withMaxDatabaseBytes(11))).containsOnlyKeys("limits.maxDatabaseBytes");
        assertThat(changed(query, query.withWorkers(new WorkerConfig(11, 10, true))))
                .containsOnlyKeys("workers.size");
        assertThat(changed(query, query.withRowLevelSecurity(false))).containsOnlyKeys("rowLevelSecurity");
        assertThat(changed(query, query.with(true, true, true))).containsOnlyKeys("allowlist");
        assertThat(changed(query, query.with(true, false, false))).containsOnlyKeys("log");

        ServeConfig serve = read(Optional.empty()).serve();
        assertThat(changed(serve, serve.with(SurfaceConfig.DEFAULTS)))
                .containsOnlyKeys("surface.tls.certificate", "surface.tls.key");

        TableConfig table = read(Optional.of(one("tables", "exclude", "[x]")))
                .replication()
                .tables()
                .getFirst();
        assertThat(built(table, builder -> builder)).isEmpty();
        assertThat(built(table, b -> b.cron("0 3 * * *", "UTC")))
                .containsOnlyKeys("schedule.cron", "schedule.timeZone");
        assertThat(built(table, b -> b.key(List.of("k")))).containsOnlyKeys("layout.key");
        assertThat(built(table, b -> b.target(Optional.of("x")))).containsOnlyKeys("layout.target");
        assertThat(built(table, b -> b.pageRows(1))).containsOnlyKeys("pageRows");
        assertThat(built(table, b -> b.nullCursor(TableConfig.NullCursor.REJECT)))
                .containsOnlyKeys("finding.nullCursor");
        assertThat(built(table, b -> b.group("g"))).containsOnlyKeys("group");
        assertThat(built(table, b -> b.settle(Duration.ofSeconds(3)))).containsOnlyKeys("promises.settle");
        assertThat(built(table, b -> b.stampedBy(TableConfig.StampedBy.CLIENT))).containsOnlyKeys("promises.stampedBy");
        assertThat(built(table, b -> b.verify(Duration.ofHours(3)))).containsOnlyKeys("promises.verify");
        assertThat(built(table, b -> b.deletes(new Deletes.Soft("x")))).containsOnlyKeys("promises.deletes");
        assertThat(built(table, b -> b.maxDeletedShare(0.5))).containsOnlyKeys("promises.maxDeletedShare");
        assertThat(built(table, b -> b.droppedColumns(TableConfig.DroppedColumns.DROP)))
                .containsOnlyKeys("layout.droppedColumns");
        assertThat(built(table, b -> b.rowSecurity(TableConfig.RowSecurity.FILTERED)))
                .containsOnlyKeys("reading.rowSecurity");
        assertThat(built(table, b -> b.masks(Map.of("a", "md5(a)")))).containsOnlyKeys("reading.masks");
        assertThat(built(table, b -> b.where(Optional.of("a > 1")))).containsOnlyKeys("reading.where");
        assertThat(built(table, b -> b.paused(true))).containsOnlyKeys("schedule.paused");
    }

    private static Map<String, String> built(TableConfig table, UnaryOperator<TableConfigBuilder> change) {
        return changed(table, change.apply(table.toBuilder()).build());
    }

    private PerigeeConfig read(Optional<Case> setting) throws IOException {
        List<String> sections = new ArrayList<>();
        for (String name : List.of("store", "serve", "query", "source", "cron", "import", "studio", "plugins")) {
            sections.add("%s: {%s}".formatted(name, settings(name, setting)));
        }
        String ofReplication = settings("replication", setting);
        sections.add("replication: {%s%stables: [{%s}]}"
                .formatted(ofReplication, ofReplication.isEmpty() ? "" : ", ", settings("tables", setting)));
        Path file = Files.writeString(folder.resolve("perigee.yaml"), String.join("\n", sections));
        return PerigeeConfigReader.read(Optional.of(file), Overrides.NONE, Map.of());
    }

    private static String settings(String section, Optional<Case> setting) {
        String own = setting.filter(s -> s.section().equals(section))
                .map(Case::settings)
                .orElse("");
        List<String> all = new ArrayList<>();
        new TreeMap<>(NEEDED.getOrDefault(section, Map.of())).forEach((name, value) -> {
            boolean isSet = own.startsWith(name + ":") || own.contains(", " + name + ":");
            if (!isSet) all.add(name + ": " + value);
        });
        if (!own.isEmpty()) all.add(own);
        return String.join(", ", all);
    }

    /// Those of `after` that are other than before.
    private static Map<String, String> changed(Map<String, String> before, Map<String, String> after) {
        Map<String, String> changed = new TreeMap<>();
        Set<String> all = new HashSet<>(before.keySet());
        all.addAll(after.keySet());
        for (String component : all) {
            String now = after.getOrDefault(component, "");
            if (!now.equals(before.getOrDefault(component, ""))) changed.put(component, now);
        }
        return changed;
    }

    private static Map<String, String> changed(Record before, Record after) {
        Map<String, String> one = new LinkedHashMap<>();
        Map<String, String> other = new LinkedHashMap<>();
        add("", before, one);
        add("", after, other);
        return changed(one, other);
    }

    private static Map<String, String> components(PerigeeConfig config) {
        Map<String, String> components = new TreeMap<>();
        add("", config, components);
        return components;
    }

    /// Each component that is no record of components itself, with its value as text.
    private static void add(String path, Object value, Map<String, String> components) {
        switch (value) {
            case Optional<?> maybe when maybe.isPresent() -> add(path, maybe.get(), components);
            case Optional<?> _ -> components.put(path, "");
            case Deletes deletes -> components.put(path, deletes.text());
            case Record record -> {
                for (RecordComponent component : record.getClass().getRecordComponents()) {
                    String below = below(path, component.getName());
                    if (!below.equals(NO_SETTING)) add(below, read(component, record), components);
                }
            }
            case List<?> list
            when !list.isEmpty() && list.getFirst() instanceof TableConfig table -> add("tables", table, components);
            default -> components.put(path, value.toString());
        }
    }

    private static String below(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private static Object read(RecordComponent component, Record record) {
        try {
            return component.getAccessor().invoke(record);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
