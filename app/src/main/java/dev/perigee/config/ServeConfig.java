package dev.perigee.config;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Settings of the HTTP server.
///
/// @param host address to listen on; loopback unless set
/// @param port 0 picks a free one
/// @param adminToken never empty
/// @param clientToken absent: nobody is a client by token
/// @param jwksEndpoint where the keys that sign callers' JWTs are published; absent: no JWT is accepted
/// @param jwtAlgorithm the one signature algorithm accepted, such as `RS256`
/// @param allowedOrigins `*` or exact origins
/// @param maxBodyBytes largest request body
/// @param maxConnections open connections at once
/// @param requestTimeout longest time a request may take, streaming included
/// @param surface what guards it
/// @param shutdownGrace how long running requests may finish when the server stops
public record ServeConfig(
        String host,
        int port,
        String adminToken,
        Optional<String> clientToken,
        Optional<String> jwksEndpoint,
        String jwtAlgorithm,
        List<String> allowedOrigins,
        long maxBodyBytes,
        int maxConnections,
        Duration requestTimeout,
        Duration shutdownGrace,
        SurfaceConfig surface) {

    /// With the surface's defaults.
    public ServeConfig(
            String host,
            int port,
            String adminToken,
            Optional<String> clientToken,
            Optional<String> jwksEndpoint,
            String jwtAlgorithm,
            List<String> allowedOrigins,
            long maxBodyBytes,
            int maxConnections,
            Duration requestTimeout,
            Duration shutdownGrace) {
        this(
                host,
                port,
                adminToken,
                clientToken,
                jwksEndpoint,
                jwtAlgorithm,
                allowedOrigins,
                maxBodyBytes,
                maxConnections,
                requestTimeout,
                shutdownGrace,
                SurfaceConfig.DEFAULTS);
    }

    /// The same with another surface.
    public ServeConfig with(SurfaceConfig other) {
        return new ServeConfig(
                host,
                port,
                adminToken,
                clientToken,
                jwksEndpoint,
                jwtAlgorithm,
                allowedOrigins,
                maxBodyBytes,
                maxConnections,
                requestTimeout,
                shutdownGrace,
                other);
    }

    public ServeConfig {
        allowedOrigins = List.copyOf(allowedOrigins);
    }

    /// The defaults on `port`, with `adminToken`.
    public static ServeConfig of(int port, String adminToken) {
        return new ServeConfig(
                "127.0.0.1",
                port,
                adminToken,
                Optional.empty(),
                Optional.empty(),
                "RS256",
                List.of("*"),
                10L << 20,
                1024,
                Duration.ofSeconds(60),
                Duration.ofSeconds(10));
    }

    @Override
    public String toString() {
        return "ServeConfig[%s:%d]".formatted(host, port); // never the tokens
    }
}
