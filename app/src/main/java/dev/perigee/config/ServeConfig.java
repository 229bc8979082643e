package dev.perigee.config;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Settings of the HTTP server.
///
/// @param host the address to listen on; loopback by default
/// @param port the port to listen on; 0 picks a free one
/// @param adminToken the token that makes a caller an admin; never empty
/// @param clientToken the token that makes a caller a client; absent: no token does
/// @param jwksEndpoint URL of the keys (JWKS) that callers' JWTs are checked with; absent: no JWT is accepted
/// @param jwtAlgorithm the only signature algorithm accepted, such as `RS256`
/// @param allowedOrigins origins for CORS: `*` or exact origins
/// @param maxBodyBytes the largest request body
/// @param maxConnections the most connections open at once
/// @param requestTimeout the longest time a request may take, streaming included
/// @param surface protection against strangers and overload
/// @param shutdownGrace the time that running requests have to finish when the server stops
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

    /// With the default [SurfaceConfig].
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

    /// The same with another [SurfaceConfig].
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
