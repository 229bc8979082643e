package dev.perigee.config;

import java.time.Duration;
import java.util.Map;

/// How to reach the external database.
///
/// @param type `postgresql`
/// @param host name or address
/// @param user role to log in as
/// @param password empty where none is needed
/// @param defaultSchema the schema of tables named without one
/// @param options the URL's query parameters with libpq's names (`sslmode`, `sslrootcert`, `options`, …), lower case
/// @param maxConnections connections open at once
/// @param connectTimeout for the TCP connection and the login together
/// @param statementTimeout longest run of one statement; zero for no limit
public record SourceConfig(
        String type,
        String host,
        int port,
        String user,
        String password,
        String database,
        String defaultSchema,
        Map<String, String> options,
        int maxConnections,
        Duration connectTimeout,
        Duration statementTimeout) {

    public SourceConfig {
        options = Map.copyOf(options);
    }

    /// Where it is, without user and password: for messages and the status.
    public String place() {
        return "%s://%s:%d/%s".formatted(type, host.contains(":") ? "[" + host + "]" : host, port, database);
    }

    @Override
    public String toString() {
        return "SourceConfig[" + place() + "]"; // never the password
    }
}
