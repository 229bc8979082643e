package dev.perigee.source.postgres.session;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import org.postgresql.PGProperty;

/// The settings of pgjdbc for a [SourceConfig]: libpq's parameters under pgjdbc's names, and what Perigee insists on.
///
/// @see <a href="https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS">libpq's parameters</a>
final class PostgresOptions {
    /// The time that the socket still waits for a silent server after a statement's limit. So it is mostly the server
    /// that ends a statement, and reports it.
    private static final Duration SOCKET_GRACE = Duration.ofSeconds(5);

    private static final Map<String, PGProperty> SAME_VALUES = Map.of(
            "application_name", PGProperty.APPLICATION_NAME,
            "options", PGProperty.OPTIONS,
            "channel_binding", PGProperty.CHANNEL_BINDING,
            "gssencmode", PGProperty.GSS_ENC_MODE,
            "sslnegotiation", PGProperty.SSL_NEGOTIATION,
            "require_auth", PGProperty.REQUIRE_AUTH);

    private final SourceConfig config;
    private final Properties properties = new Properties();

    private PostgresOptions(SourceConfig config) {
        this.config = config;
    }

    /// pgjdbc's properties, without host, database, user and password.
    ///
    /// @throws PerigeeException [Fault#CONFIG_INVALID] for a parameter that is unknown or has an invalid value
    static Properties of(SourceConfig config) {
        PostgresOptions options = new PostgresOptions(config);
        options.defaults();
        config.options().forEach(options::put);
        new PostgresTls(config).into(options.properties);
        return options.properties;
    }

    private void defaults() {
        PGProperty.APPLICATION_NAME.set(properties, applicationName(config));
        PGProperty.TCP_KEEP_ALIVE.set(properties, true);
        PGProperty.SOCKET_FACTORY.set(properties, KeepAliveSockets.class.getName());
        // A pooler may change the server connection between transactions. Statements prepared on the other one are
        // unknown then.
        PGProperty.PREPARE_THRESHOLD.set(properties, 0);
        PGProperty.BINARY_TRANSFER.set(properties, false);
        PGProperty.READ_ONLY_MODE.set(properties, "transaction");
        // Off unless asked for: without Kerberos it costs a round trip, and with Kerberos it may wait for a ticket.
        PGProperty.GSS_ENC_MODE.set(properties, "disable");
        // DETAIL holds row values, and a fault's message must not.
        PGProperty.LOG_SERVER_ERROR_DETAIL.set(properties, false);
        connectTimeout(config.limits().connectTimeout());
        PGProperty.SOCKET_TIMEOUT.set(properties, socketMillis(config) / 1000);
    }

    /// The name of a session in `pg_stat_activity`.
    static String applicationName(SourceConfig config) {
        return config.options().getOrDefault("application_name", "perigee");
    }

    /// How long the server may be silent, in milliseconds; 0 for no limit.
    static int socketMillis(SourceConfig config) {
        Duration statement = config.limits().statementTimeout();
        return statement.isZero()
                ? 0
                : (int) Math.min(statement.plus(SOCKET_GRACE).toMillis(), Integer.MAX_VALUE);
    }

    private void put(String name, String value) {
        PGProperty same = SAME_VALUES.get(name);
        if (same != null) {
            same.set(properties, value);
            return;
        }
        switch (name) {
            case "connect_timeout" -> connectTimeout(Duration.ofSeconds(number(name, value)));
            case "keepalives" -> PGProperty.TCP_KEEP_ALIVE.set(properties, number(name, value) != 0);
            case "target_session_attrs" -> PGProperty.TARGET_SERVER_TYPE.set(properties, serverType(value));
            case "client_encoding" -> {
                if (!value.replace("-", "").equalsIgnoreCase("utf8") && !value.equalsIgnoreCase("auto")) {
                    throw invalid(config, name, "`UTF8`", value);
                }
            }
            default -> {
                if (!PostgresTls.NAMES.contains(name)) throw unknown(name);
            }
        }
    }

    private void connectTimeout(Duration timeout) {
        // In libpq, zero means no limit. Then only the pool limits the login.
        PGProperty.CONNECT_TIMEOUT.set(properties, (int) seconds(timeout));
        PGProperty.LOGIN_TIMEOUT.set(properties, (int) seconds(timeout));
        if (!timeout.isZero()) {
            PGProperty.SSL_RESPONSE_TIMEOUT.set(properties, (int) Math.min(timeout.toMillis(), Integer.MAX_VALUE));
        }
    }

    private String serverType(String value) {
        return switch (value) {
            case "any" -> "any";
            case "read-write", "primary" -> "primary";
            case "read-only", "standby" -> "secondary";
            case "prefer-standby" -> "preferSecondary";
            default ->
                throw invalid(
                        config,
                        "target_session_attrs",
                        "`any`, `read-write`, `read-only`, `primary`, `standby` or `prefer-standby`",
                        value);
        };
    }

    private long number(String name, String value) {
        try {
            long number = Long.parseLong(value.strip());
            if (number >= 0 && number < Integer.MAX_VALUE / 1000) return number;
        } catch (NumberFormatException e) {
            // Reported below.
        }
        throw invalid(config, name, "a whole number, zero or more", value);
    }

    private static long seconds(Duration duration) {
        return duration.plusMillis(999).toSeconds();
    }

    private PerigeeException unknown(String name) {
        TreeSet<String> known = new TreeSet<>(SAME_VALUES.keySet());
        known.addAll(PostgresTls.NAMES);
        known.addAll(List.of("connect_timeout", "keepalives", "target_session_attrs", "client_encoding"));
        return Fault.CONFIG_INVALID.in(
                "source " + config.place(),
                "unknown connection parameter `%s`; known are %s".formatted(name, String.join(", ", known)),
                "No connection was made");
    }

    /// The fault for a value that a parameter cannot have. `found` must not be a secret.
    static PerigeeException invalid(SourceConfig config, String name, String expected, String found) {
        return Fault.CONFIG_INVALID.in(
                "source " + config.place(),
                "expected %s for `%s` but found `%s`".formatted(expected, name, found),
                "No connection was made");
    }
}
