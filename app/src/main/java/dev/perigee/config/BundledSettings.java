package dev.perigee.config;

import dev.perigee.config.CronConfig.Missed;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Reads the sections of the plugins and their variables in the environment.
final class BundledSettings {
    private final Section root;
    private final Map<String, String> environment;

    BundledSettings(Section root, Map<String, String> environment) {
        this.root = root;
        this.environment = environment;
    }

    BundledConfig read() {
        return new BundledConfig(cron(), maxImportBytes(), studio(), plugins());
    }

    private PluginsConfig plugins() {
        Section section = root.section("plugins");
        Optional<Path> directory = section.text("directory").map(Path::of);
        String onFailure =
                section.text("onFailure", "skip", word -> word.matches("skip|fail"), "expected skip or fail");
        Section ofPlugins = section.section("settings");
        Map<String, Map<String, String>> settings = new HashMap<>();
        for (String name : ofPlugins.names()) settings.put(name, ofPlugins.pairs(name));
        Duration limit =
                section.duration("limit", Duration.ofMillis(1), Duration.ofHours(1), PluginsConfig.DEFAULTS.limit());
        section.done();
        return new PluginsConfig(directory, onFailure.equals("fail"), settings, limit);
    }

    private StudioConfig studio() {
        Section section = root.section("studio");
        Optional<String> user = given("STUDIO_USER", section.text("user"));
        Optional<String> password = given("STUDIO_PASS", section.text("password"));
        section.done();
        if (user.isPresent() != password.isPresent()) {
            section.wrong(
                    user.isPresent() ? "password" : "user",
                    "expected both user and password, or neither (also: STUDIO_USER, STUDIO_PASS)");
        }
        return new StudioConfig(user, password);
    }

    private Optional<String> given(String variable, Optional<String> otherwise) {
        return Optional.ofNullable(environment.get(variable))
                .filter(text -> !text.isEmpty())
                .or(() -> otherwise.filter(text -> !text.isEmpty()));
    }

    private long maxImportBytes() {
        Section section = root.section("import");
        long bytes = section.bytes("maxBytes", 1L << 10, 1L << 40, BundledConfig.DEFAULTS.maxImportBytes());
        section.done();
        return bytes;
    }

    private CronConfig cron() {
        Section section = root.section("cron");
        Optional<String> secret = given("CRON_SECRET", section.text("secret"));
        String missed = section.text("missed", "once", text -> text.matches("once|skip"), "expected once or skip");
        List<String> hosts = section.texts("callbackHosts", List.of());
        for (String host : hosts) {
            if (!host.matches("[A-Za-z0-9._\\[\\]:-]+"))
                section.wrong("callbackHosts", "expected hosts such as app.example.com:8080");
        }
        Duration limit = section.duration(
                "pluginLimit", Duration.ofMillis(1), Duration.ofDays(1), CronConfig.DEFAULTS.pluginLimit());
        section.done();
        return new CronConfig(secret, Missed.valueOf(missed.toUpperCase(Locale.ROOT)), hosts, limit);
    }
}
