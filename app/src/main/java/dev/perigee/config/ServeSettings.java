package dev.perigee.config;

import dev.perigee.config.PerigeeConfigReader.Overrides;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads the section `serve` and its variables in the environment.
final class ServeSettings {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final long KB = 1L << 10;
    private static final Set<String> ALGORITHMS =
            Set.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512");

    private final Section section;
    private final Map<String, String> environment;

    ServeSettings(Section section, Map<String, String> environment) {
        this.section = section;
        this.environment = environment;
    }

    ServeConfig read(Overrides overrides) {
        ServeConfig base = ServeConfig.of(PerigeeConfigReader.DEFAULT_PORT, "");
        Optional<String> admin = given("ADMIN_AUTHORIZATION_TOKEN", section.text("adminToken"));
        Optional<String> client = given("CLIENT_AUTHORIZATION_TOKEN", section.text("clientToken"));
        if (admin.isEmpty()) {
            section.mistakes()
                    .add(
                            ConfigErrors.ENVIRONMENT,
                            "ADMIN_AUTHORIZATION_TOKEN",
                            "expected the admin's token; make one with: export ADMIN_AUTHORIZATION_TOKEN=$(openssl rand -hex 24)");
        }
        checkToken("ADMIN_AUTHORIZATION_TOKEN", admin);
        checkToken("CLIENT_AUTHORIZATION_TOKEN", client);
        if (admin.isPresent() && admin.equals(client)) {
            section.mistakes()
                    .add(
                            ConfigErrors.ENVIRONMENT,
                            "CLIENT_AUTHORIZATION_TOKEN",
                            "expected a token other than the admin's, which would make every client an admin");
        }
        String algorithm = section.text("jwtAlgorithm", base.access().jwtAlgorithm());
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
        ServeConfig.Limits limits = base.limits();
        ServeConfig serve = new ServeConfig(
                overrides.host().orElse(section.text("host", base.host())),
                port(overrides, base),
                new ServeConfig.Access(admin.orElse(""), client, keys, algorithm),
                section.texts("allowedOrigins", base.allowedOrigins()),
                new ServeConfig.Limits(
                        section.bytes("maxBodyBytes", KB, 1L << 30, limits.maxBodyBytes()),
                        section.whole("maxConnections", 1, 100_000, limits.maxConnections()),
                        section.duration("requestTimeout", SECOND, DAY, limits.requestTimeout()),
                        section.duration("shutdownGrace", Duration.ZERO, HOUR, limits.shutdownGrace())),
                surface(),
                section.flag("freshnessCookie", base.freshnessCookie()));
        for (String origin : serve.allowedOrigins()) {
            if (!origin.matches("\\*|https?://[^\\s/]+")) {
                section.wrong("allowedOrigins", "expected * or origins such as https://app.example.com");
            }
        }
        section.done();
        return serve;
    }

    private SurfaceConfig surface() {
        SurfaceConfig base = SurfaceConfig.DEFAULTS;
        String compat =
                section.text("compat", "plain", word -> word.matches("plain|strict"), "expected plain or strict");
        String audit = section.text("audit", "false", word -> word.matches("true|false"), "expected true or false");
        Optional<String> certificate = section.text("tlsCertificate");
        Optional<String> key = section.text("tlsKey");
        if (certificate.isPresent() != key.isPresent()) {
            section.wrong(
                    certificate.isPresent() ? "tlsKey" : "tlsCertificate",
                    "expected both tlsCertificate and tlsKey, or neither");
        }
        return new SurfaceConfig(
                section.texts("hosts", base.hosts()),
                section.whole("requestsPerSecond", 1, 10_000_000, base.requestsPerSecond()),
                section.whole("failuresPerMinute", 1, 1_000_000, base.failuresPerMinute()),
                compat.equals("strict"),
                certificate.flatMap(file -> key.map(other -> new SurfaceConfig.Tls(Path.of(file), Path.of(other)))),
                audit.equals("true"),
                new SurfaceConfig.Crowd(
                        section.whole("adminPlaces", 0, 255, base.crowd().adminPlaces()),
                        section.whole(
                                "minBodyBytesPerSecond",
                                0,
                                1 << 30,
                                base.crowd().minBodyBytesPerSecond()),
                        section.whole(
                                "maxConnectionsPerAddress",
                                0,
                                100_000,
                                base.crowd().maxConnectionsPerAddress())));
    }

    private int port(Overrides overrides, ServeConfig base) {
        int port = section.whole("port", 0, 65_535, base.port());
        return overrides.port().orElse(port);
    }

    /// Reports a token with characters that an HTTP header cannot carry.
    private void checkToken(String name, Optional<String> token) {
        if (token.filter(text -> !text.matches("[\\x21-\\x7e]+")).isPresent()) {
            section.mistakes().add(ConfigErrors.ENVIRONMENT, name, "expected visible ASCII characters without spaces");
        }
    }

    /// The environment's value, else the file's; an empty text counts as missing.
    private Optional<String> given(String variable, Optional<String> otherwise) {
        return Optional.ofNullable(environment.get(variable))
                .filter(value -> !value.isEmpty())
                .or(() -> otherwise.filter(value -> !value.isEmpty()));
    }
}
