package dev.perigee.plugin.host;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// What a plugin's jar declares in `perigee-plugin.json` at its root.
///
/// @param name the same as [dev.perigee.plugin.StarbasePlugin#name()]
/// @param version the plugin's own version
/// @param apiVersion the version of the plugin API it was built for, `major.minor`
/// @param className the class to start: a public [dev.perigee.plugin.StarbasePlugin] with a public constructor that
///     takes its settings, a `Map<String, String>`, or nothing
public record PluginDescriptor(String name, String version, String apiVersion, String className) {
    /// Path of the descriptor in the jar.
    public static final String FILE = "perigee-plugin.json";

    /// Version of the plugin API. A plugin must have the same major version, and a minor version that is not greater.
    static final int API_MAJOR = 1;

    static final int API_MINOR = 0;

    private static final Set<String> MEMBERS =
            Set.of("name", "version", "apiVersion", "class", "description", "author", "homepage", "license");
    private static final Pattern API = Pattern.compile("(\\d{1,5})\\.(\\d{1,5})");

    /// @throws PerigeeException [Fault#CONFIG_INVALID] with what is wrong
    static PluginDescriptor of(byte[] json) {
        JsonNode node;
        try {
            node = Json.MAPPER.readTree(json);
        } catch (JacksonException e) {
            throw wrong("it is not JSON"
                    + (e.getLocation() == null
                            ? ""
                            : ", line " + e.getLocation().getLineNr()));
        }
        if (!node.isObject()) throw wrong("expected a JSON object");
        Set<String> unknown = new TreeSet<>(node.propertyNames());
        unknown.removeAll(MEMBERS);
        if (!unknown.isEmpty()) {
            throw wrong("unknown member `%s`; the members are %s"
                    .formatted(unknown.iterator().next(), new TreeSet<>(MEMBERS)));
        }
        PluginDescriptor descriptor = new PluginDescriptor(
                text(node, "name"), text(node, "version"), text(node, "apiVersion"), text(node, "class"));
        descriptor.checkApi();
        return descriptor;
    }

    private void checkApi() {
        Matcher asked = API.matcher(apiVersion);
        if (!asked.matches()) throw wrong("expected an `apiVersion` such as 1.0 but found `%s`".formatted(apiVersion));
        int major = Integer.parseInt(asked.group(1));
        int minor = Integer.parseInt(asked.group(2));
        if (major == API_MAJOR && minor <= API_MINOR) return;
        throw wrong("it was built for version %s of the plugin API, but this server has %d.%d: %s"
                .formatted(
                        apiVersion,
                        API_MAJOR,
                        API_MINOR,
                        major > API_MAJOR || major == API_MAJOR
                                ? "use a newer Perigee"
                                : "use a newer version of the plugin"));
    }

    private static String text(JsonNode node, String name) {
        String text = node.path(name).asString("");
        if (!node.path(name).isString() || text.isBlank()) throw wrong("`%s` must be a non-empty text".formatted(name));
        return text;
    }

    private static PerigeeException wrong(String what) {
        return Fault.CONFIG_INVALID.saying(FILE + ": " + what);
    }
}
