package dev.perigee.config;

import dev.perigee.config.SourceParts.Part;
import dev.perigee.fault.Fault;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Reads the source's address from the environment: StarbaseDB's variables `EXTERNAL_DB_*`, and `EXTERNAL_DB_URL`.
public final class SourceEnvironment {
    private static final String PREFIX = "EXTERNAL_DB_";
    private static final String URL = PREFIX + "URL";
    private static final String PASSWORD = PREFIX + "PASS";

    private static final Map<String, Part> PARTS = new TreeMap<>(Map.of(
            PREFIX + "TYPE",
            Part.TYPE,
            PREFIX + "HOST",
            Part.HOST,
            PREFIX + "PORT",
            Part.PORT,
            PREFIX + "USER",
            Part.USER,
            PASSWORD,
            Part.PASSWORD,
            PREFIX + "DATABASE",
            Part.DATABASE,
            PREFIX + "DEFAULT_SCHEMA",
            Part.DEFAULT_SCHEMA));

    /// Prefixes of StarbaseDB's variables for other kinds of databases.
    private static final List<String> OTHER_KINDS =
            List.of(PREFIX + "TURSO_", PREFIX + "STARBASEDB_", PREFIX + "CLOUDFLARE_");

    private SourceEnvironment() {}

    /// The source that the environment names; empty if it names none.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFIG_INVALID] with every mistake
    public static Optional<SourceConfig> source(Map<String, String> environment) {
        ConfigErrors mistakes = new ConfigErrors();
        SourceParts parts = read(environment, mistakes);
        if (!parts.isEmpty()) checkPlace(parts, mistakes);
        mistakes.refuse();
        if (parts.isEmpty()) return Optional.empty();
        Optional<SourceConfig> config = parts.config(SourceParts.Limits.DEFAULT, password(environment), mistakes);
        mistakes.refuse();
        return config;
    }

    static SourceParts read(Map<String, String> environment, ConfigErrors mistakes) {
        Map<String, String> given = new LinkedHashMap<>();
        new TreeMap<>(environment).forEach((name, value) -> {
            if (name.startsWith(PREFIX) && !value.isEmpty()) given.put(name, value);
        });
        SourceParts parts = given.containsKey(URL)
                ? SourceUrl.read(given.get(URL), ConfigErrors.ENVIRONMENT, URL, mistakes)
                : new SourceParts();
        Set<String> known = new TreeSet<>(PARTS.keySet());
        known.add(URL);
        given.forEach((name, value) -> {
            Part part = PARTS.get(name);
            if (part != null) {
                parts.put(part, value, ConfigErrors.ENVIRONMENT, name, mistakes);
            } else if (OTHER_KINDS.stream().anyMatch(name::startsWith)) {
                mistakes.add(
                        ConfigErrors.ENVIRONMENT, name, "this version follows PostgreSQL only: remove this variable");
            } else if (!name.equals(URL)) {
                mistakes.add(
                        ConfigErrors.ENVIRONMENT,
                        name,
                        "this version does not know this variable; " + NameSuggestion.hint(name, known));
            }
        });
        return parts;
    }

    /// Reports variables about a source when none of them says where the source is.
    static void checkPlace(SourceParts parts, ConfigErrors mistakes) {
        if (parts.has(Part.HOST) || parts.has(Part.TYPE) && parts.has(Part.DATABASE)) return;
        mistakes.add(
                ConfigErrors.ENVIRONMENT,
                PREFIX + "HOST",
                "expected this variable, or %s, in addition to the other %s* variables".formatted(URL, PREFIX));
    }

    /// The password for a source that was configured without one; empty if the environment has none either.
    static String password(Map<String, String> environment) {
        String ours = environment.getOrDefault(PASSWORD, "");
        return ours.isEmpty() ? environment.getOrDefault("PGPASSWORD", "") : ours;
    }
}
