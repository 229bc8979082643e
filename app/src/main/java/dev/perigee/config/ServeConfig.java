package dev.perigee.config;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Settings of the HTTP server.
///
/// @param host the address to listen on; loopback by default
/// @param port the port to listen on; 0 picks a free one
/// @param access how callers prove who they are
/// @param allowedOrigins origins for CORS: `*` or exact origins
/// @param limits the size, number and time of requests
/// @param surface protection against strangers and overload
/// @param freshnessCookie whether browsers keep the token of their last write to the external database in a cookie, so
///     that they read their own writes
public record ServeConfig(
        String host,
        int port,
        Access access,
        List<String> allowedOrigins,
        Limits limits,
        SurfaceConfig surface,
        boolean freshnessCookie) {

    /// How callers prove who they are.
    ///
    /// @param adminToken the token that makes a caller an admin; never empty
    /// @param clientToken the token that makes a caller a client; absent: no token does
    /// @param jwksEndpoint URL of the keys (JWKS) that callers' JWTs are checked with; absent: no JWT is accepted
    /// @param jwtAlgorithm the only signature algorithm accepted, such as `RS256`
    public record Access(
            String adminToken, Optional<String> clientToken, Optional<String> jwksEndpoint, String jwtAlgorithm) {
        /// Access by the admin's token only.
        public static Access of(String adminToken) {
            return new Access(adminToken, Optional.empty(), Optional.empty(), "RS256");
        }

        @Override
        public String toString() {
            return "Access[%s]".formatted(jwtAlgorithm); // never the tokens
        }
    }

    /// The size, number and time of requests.
    ///
    /// @param maxBodyBytes the largest request body
    /// @param maxConnections the most connections open at once
    /// @param requestTimeout the longest time a request may take, streaming included
    /// @param shutdownGrace the time that running requests have to finish when the server stops
    public record Limits(long maxBodyBytes, int maxConnections, Duration requestTimeout, Duration shutdownGrace) {
        public static final Limits DEFAULTS =
                new Limits(10L << 20, 1024, Duration.ofSeconds(60), Duration.ofSeconds(10));
    }

    public ServeConfig {
        allowedOrigins = List.copyOf(allowedOrigins);
    }

    /// The defaults on `port`, with `adminToken`.
    public static ServeConfig of(int port, String adminToken) {
        return new ServeConfig(
                "127.0.0.1", port, Access.of(adminToken), List.of("*"), Limits.DEFAULTS, SurfaceConfig.DEFAULTS, false);
    }

    /// The same with another [Access].
    public ServeConfig with(Access other) {
        return new ServeConfig(host, port, other, allowedOrigins, limits, surface, freshnessCookie);
    }

    /// The same with other [Limits].
    public ServeConfig with(Limits other) {
        return new ServeConfig(host, port, access, allowedOrigins, other, surface, freshnessCookie);
    }

    /// The same with another [SurfaceConfig].
    public ServeConfig with(SurfaceConfig other) {
        return new ServeConfig(host, port, access, allowedOrigins, limits, other, freshnessCookie);
    }

    /// The same for pages of other origins.
    public ServeConfig withOrigins(List<String> other) {
        return new ServeConfig(host, port, access, other, limits, surface, freshnessCookie);
    }

    /// The same with or without the cookie.
    public ServeConfig withFreshnessCookie(boolean isOn) {
        return new ServeConfig(host, port, access, allowedOrigins, limits, surface, isOn);
    }
}
