package dev.perigee.config;

import java.time.Duration;
import java.util.Map;

/// The address of the external database, and limits on its use.
///
/// @param type `postgresql`
/// @param host name or address
/// @param user the role to log in as
/// @param password empty if none is needed
/// @param defaultSchema the schema of tables that are named without a schema
/// @param options the URL's query parameters by libpq's names (`sslmode`, `sslrootcert`, `options`, …), in lower case
/// @param limits the number of sessions, and how long to wait for them
public record SourceConfig(
        String type,
        String host,
        int port,
        String user,
        String password,
        String database,
        String defaultSchema,
        Map<String, String> options,
        Limits limits) {

    /// The number of sessions, and how long to wait for them.
    ///
    /// @param maxConnections the most connections open at once
    /// @param connectTimeout the time limit for the TCP connection and the login together
    /// @param statementTimeout the longest time one statement may run; zero for no limit
    public record Limits(int maxConnections, Duration connectTimeout, Duration statementTimeout) {}

    public SourceConfig {
        options = Map.copyOf(options);
    }

    /// The address without user and password, for messages and the status.
    public String place() {
        return "%s://%s:%d/%s".formatted(type, host.contains(":") ? "[" + host + "]" : host, port, database);
    }

    @Override
    public String toString() {
        return "SourceConfig[" + place() + "]"; // never the password
    }
}
