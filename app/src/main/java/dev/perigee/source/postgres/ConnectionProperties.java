package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.postgresql.PGProperty;

/// A source's settings as the driver wants them; libpq's option names become the driver's.
///
/// @see <a href="https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS">libpq: parameter key
///     words</a>
final class ConnectionProperties {
    private static final Map<String, PGProperty> OPTIONS = Map.ofEntries(
            Map.entry("sslmode", PGProperty.SSL_MODE),
            Map.entry("sslrootcert", PGProperty.SSL_ROOT_CERT),
            Map.entry("sslcert", PGProperty.SSL_CERT),
            Map.entry("sslkey", PGProperty.SSL_KEY),
            Map.entry("sslpassword", PGProperty.SSL_PASSWORD),
            Map.entry("sslnegotiation", PGProperty.SSL_NEGOTIATION),
            Map.entry("channel_binding", PGProperty.CHANNEL_BINDING),
            Map.entry("gssencmode", PGProperty.GSS_ENC_MODE),
            Map.entry("require_auth", PGProperty.REQUIRE_AUTH),
            Map.entry("options", PGProperty.OPTIONS),
            Map.entry("application_name", PGProperty.APPLICATION_NAME),
            Map.entry("connect_timeout", PGProperty.CONNECT_TIMEOUT));

    private static final List<String> SSL_MODES =
            List.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");

    /// Values of `target_session_attrs` and what the driver calls them.
    private static final Map<String, String> TARGETS = Map.of(
            "any", "any",
            "read-write", "primary",
            "primary", "primary",
            "read-only", "secondary",
            "standby", "secondary",
            "prefer-standby", "preferSecondary");

    private ConnectionProperties() {}

    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFIG_INVALID] for an option or a value it does not know
    static Properties of(SourceConfig config) {
        Properties properties = new Properties();
        PGProperty.USER.set(properties, config.user());
        PGProperty.PASSWORD.set(properties, config.password());
        PGProperty.PG_HOST.set(properties, config.host());
        PGProperty.PG_PORT.set(properties, config.port());
        PGProperty.PG_DBNAME.set(properties, config.database());
        PGProperty.APPLICATION_NAME.set(properties, "perigee");
        int seconds = Math.max(1, Math.toIntExact(config.connectTimeout().toSeconds()));
        PGProperty.CONNECT_TIMEOUT.set(properties, seconds);
        PGProperty.LOGIN_TIMEOUT.set(properties, seconds);
        PGProperty.CANCEL_SIGNAL_TIMEOUT.set(properties, seconds);
        PGProperty.SSL_RESPONSE_TIMEOUT.set(properties, seconds * 1000);
        PGProperty.TCP_KEEP_ALIVE.set(properties, true);
        // A server's DETAIL holds values of rows.
        PGProperty.LOG_SERVER_ERROR_DETAIL.set(properties, false);
        // Prepared statements with names do not survive a pooler that changes sessions between transactions.
        PGProperty.PREPARE_THRESHOLD.set(properties, 0);
        new TreeMap<>(config.options()).forEach((name, value) -> set(properties, config, name, value));
        return properties;
    }

    private static void set(Properties properties, SourceConfig config, String name, String value) {
        if (name.equals("target_session_attrs")) {
            PGProperty.TARGET_SERVER_TYPE.set(properties, oneOf(config, name, value, TARGETS));
            return;
        }
        PGProperty property = OPTIONS.get(name);
        if (property == null) {
            throw Fault.CONFIG_INVALID.in(
                    "source " + config.place(),
                    "the option `%s` is not known; known are %s and target_session_attrs"
                            .formatted(
                                    name,
                                    String.join(
                                            ", ",
                                            OPTIONS.keySet().stream().sorted().toList())),
                    "Perigee did not connect");
        }
        if (name.equals("sslmode") && !SSL_MODES.contains(value)) throw unknownValue(config, name, value, SSL_MODES);
        if (name.equals("connect_timeout") && !value.matches("[0-9]{1,5}")) {
            throw unknownValue(config, name, value, List.of("a number of seconds"));
        }
        property.set(properties, value);
    }

    private static String oneOf(SourceConfig config, String name, String value, Map<String, String> known) {
        String found = known.get(value);
        if (found != null) return found;
        throw unknownValue(config, name, value, known.keySet().stream().sorted().toList());
    }

    private static RuntimeException unknownValue(
            SourceConfig config, String name, String value, List<String> expected) {
        return Fault.CONFIG_INVALID.in(
                "source " + config.place(),
                "`%s` is `%s`, expected %s".formatted(name, value, String.join(", ", expected)),
                "Perigee did not connect");
    }
}
