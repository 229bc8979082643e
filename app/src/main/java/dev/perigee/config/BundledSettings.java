package dev.perigee.config;

import dev.perigee.config.CronConfig.Missed;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The sections of the plugins that ship, and what the environment says of them.
final class BundledSettings {
    private final Section root;
    private final Map<String, String> environment;

    BundledSettings(Section root, Map<String, String> environment) {
        this.root = root;
        this.environment = environment;
    }

    BundledConfig read() {
        return new BundledConfig(cron(), maxImportBytes());
    }

    private long maxImportBytes() {
        Section section = root.section("import");
        long bytes = section.bytes("maxBytes", 1L << 10, 1L << 40, BundledConfig.DEFAULTS.maxImportBytes());
        section.done();
        return bytes;
    }

    private CronConfig cron() {
        Section section = root.section("cron");
        Optional<String> secret = Optional.ofNullable(environment.get("CRON_SECRET"))
                .or(() -> section.text("secret"))
                .filter(text -> !text.isEmpty());
        String missed = section.text("missed", "once", text -> text.matches("once|skip"), "expected once or skip");
        List<String> hosts = section.texts("callbackHosts", List.of());
        for (String host : hosts) {
            if (!host.matches("[A-Za-z0-9._\\[\\]:-]+"))
                section.wrong("callbackHosts", "expected hosts such as app.example.com:8080");
        }
        section.done();
        return new CronConfig(secret, Missed.valueOf(missed.toUpperCase(Locale.ROOT)), hosts);
    }
}
