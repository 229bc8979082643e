package dev.perigee.config;

import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Gathers the parts of a source's address. They may come from a URL, from single settings, and from the environment.
final class SourceParts {
    enum Part {
        TYPE("type"),
        HOST("host"),
        PORT("port"),
        USER("user"),
        PASSWORD("password"),
        DATABASE("database"),
        DEFAULT_SCHEMA("defaultSchema");

        private final String field;

        Part(String field) {
            this.field = field;
        }

        /// The setting's name in `perigee.yaml`, in section `source`.
        String field() {
            return field;
        }
    }

    /// A part's value, and where it was set.
    ///
    /// @param place the file with line and column, or the environment
    /// @param field the setting that has the value
    private record Given(String value, String place, String field) {}

    /// Limits on the use of the source, independent of its address.
    record Limits(int maxConnections, Duration connectTimeout, Duration statementTimeout) {
        static final Limits DEFAULT = new Limits(8, Duration.ofSeconds(10), Duration.ofSeconds(60));
    }

    /// The options of libpq that the source understands.
    static final Set<String> OPTIONS = Set.of(
            "sslmode",
            "sslrootcert",
            "sslcert",
            "sslkey",
            "sslpassword",
            "sslnegotiation",
            "channel_binding",
            "gssencmode",
            "require_auth",
            "options",
            "application_name",
            "connect_timeout",
            "target_session_attrs");

    private static final Set<String> SSL_MODES =
            Set.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");
    private static final int MAX_PORT = 65_535;

    private final EnumMap<Part, Given> parts = new EnumMap<>(Part.class);
    private final Map<String, String> options = new LinkedHashMap<>();

    /// Records a part's value. If the part already has a different value, that is reported as a mistake.
    void put(Part part, String value, String place, String field, ConfigErrors mistakes) {
        String plain = part == Part.TYPE ? type(value) : value;
        Given before = parts.putIfAbsent(part, new Given(plain, place, field));
        if (before != null && !before.value.equals(plain)) {
            mistakes.add(
                    place,
                    field,
                    "contradicts %s, which names another %s; set only one of them".formatted(before.field, part.field));
        }
    }

    /// Records a part's value in place of any earlier one, as a URL's query parameter does.
    void replace(Part part, String value, String place, String field) {
        parts.put(part, new Given(value, place, field));
    }

    /// Records an option of libpq; reports an unknown name or an unknown `sslmode`.
    void option(String name, String value, String place, String field, ConfigErrors mistakes) {
        if (!OPTIONS.contains(name)) {
            mistakes.add(place, field, "there is no such option; " + NameSuggestion.hint(name, OPTIONS));
        } else if (name.equals("sslmode") && !SSL_MODES.contains(value)) {
            mistakes.add(place, field, "sslmode: " + NameSuggestion.hint(value, SSL_MODES));
        } else {
            options.put(name, value);
        }
    }

    boolean isEmpty() {
        return parts.isEmpty() && options.isEmpty();
    }

    boolean has(Part part) {
        return parts.containsKey(part);
    }

    /// Merges two sources of settings: the values of `stronger`, and these where it has none. If `stronger` names a
    /// host, only the default schema is taken from here. A password is never sent to a host that it was not given for.
    SourceParts under(SourceParts stronger) {
        SourceParts merged = new SourceParts();
        if (stronger.has(Part.HOST)) {
            if (has(Part.DEFAULT_SCHEMA)) merged.parts.put(Part.DEFAULT_SCHEMA, parts.get(Part.DEFAULT_SCHEMA));
        } else {
            merged.parts.putAll(parts);
            merged.options.putAll(options);
        }
        merged.parts.putAll(stronger.parts);
        merged.options.putAll(stronger.options);
        return merged;
    }

    /// The complete address, with libpq's defaults for missing parts. Empty if the port is not valid.
    ///
    /// @param password used if no part has one
    Optional<SourceConfig> config(Limits limits, String password, ConfigErrors mistakes) {
        if (!text(Part.TYPE, "postgresql").equals("postgresql")) {
            wrong(Part.TYPE, "this version follows PostgreSQL only: expected \"postgresql\"", mistakes);
        }
        Optional<Integer> port = port();
        // The message does not quote what was found: it may be a piece of a password that was not encoded.
        if (port.isEmpty()) wrong(Part.PORT, "port: expected a whole number from 1 to " + MAX_PORT, mistakes);
        String host = text(Part.HOST, "localhost");
        if (host.startsWith("/")) wrong(Part.HOST, "a Unix socket is not supported; name a host", mistakes);
        String user = text(Part.USER, System.getProperty("user.name"));
        return port.map(number -> new SourceConfig(
                "postgresql",
                host,
                number,
                user,
                text(Part.PASSWORD, password),
                text(Part.DATABASE, user),
                text(Part.DEFAULT_SCHEMA, "public"),
                options,
                new SourceConfig.Limits(limits.maxConnections, limits.connectTimeout, limits.statementTimeout)));
    }

    private void wrong(Part part, String expected, ConfigErrors mistakes) {
        Given given = parts.get(part);
        if (given != null) mistakes.add(given.place, given.field, expected);
    }

    private Optional<Integer> port() {
        String text = text(Part.PORT, "5432");
        if (!text.matches("[0-9]{1,5}")) return Optional.empty();
        return Optional.of(Integer.parseInt(text)).filter(port -> port >= 1 && port <= MAX_PORT);
    }

    private String text(Part part, String otherwise) {
        Given given = parts.get(part);
        return given == null || given.value.isEmpty() ? otherwise : given.value;
    }

    private static String type(String value) {
        return value.equals("postgres") ? "postgresql" : value;
    }
}
