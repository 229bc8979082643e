package dev.perigee.config;

import dev.perigee.config.SourceParts.Limits;
import dev.perigee.config.SourceParts.Part;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// Reads the section `source` and its variables in the environment.
final class SourceSettings {
    private final Section section;
    private final Map<String, String> environment;

    SourceSettings(Section section, Map<String, String> environment) {
        this.section = section;
        this.environment = environment;
    }

    Optional<SourceConfig> read() {
        ConfigErrors mistakes = section.mistakes();
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
                section.duration(
                        "connectTimeout",
                        Duration.ofSeconds(1),
                        Duration.ofMinutes(5),
                        Limits.DEFAULT.connectTimeout()),
                section.duration(
                        "statementTimeout", Duration.ZERO, Duration.ofDays(1), Limits.DEFAULT.statementTimeout()));
        section.done();

        SourceParts fromEnvironment = SourceEnvironment.read(environment, mistakes);
        SourceParts parts = fromFile.under(fromEnvironment);
        if (parts.isEmpty()) return Optional.empty();
        if (fromFile.isEmpty()) SourceEnvironment.checkPlace(parts, mistakes);
        return parts.config(limits, SourceEnvironment.password(environment), mistakes);
    }
}
