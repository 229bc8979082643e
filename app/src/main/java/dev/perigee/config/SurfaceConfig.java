package dev.perigee.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the HTTP server's surface is guarded by.
///
/// @param hosts names that requests may be sent to, beside those of this machine; with a host that is no loopback
///     address, empty is any
/// @param requestsPerSecond of one token, or of one subject of JWTs
/// @param failuresPerMinute wrong tokens from one address
/// @param isStrict whether statuses are the original's, where it answers 500 or 400 for what has a status of its own
/// @param tls absent: HTTP without encryption
/// @param crowd what keeps many or slow requests from shutting others out
/// @param isAudited whether admins' calls are kept in `tmp_audit_log`
public record SurfaceConfig(
        List<String> hosts,
        int requestsPerSecond,
        int failuresPerMinute,
        boolean isStrict,
        Optional<Tls> tls,
        boolean isAudited,
        Crowd crowd) {
    /// @param adminPlaces of the requests that run at once, how many clients cannot take
    /// @param minBodyBytesPerSecond what a request's body has to come with on average; else its connection ends
    /// @param maxConnectionsPerAddress 0: three quarters of all, rounded up
    public record Crowd(int adminPlaces, int minBodyBytesPerSecond, int maxConnectionsPerAddress) {
        public static final Crowd DEFAULTS = new Crowd(32, 1024, 0);

        /// How many connections one address may have open.
        ///
        /// @param maxConnections of all addresses together
        public int connectionsOfOneAddress(int maxConnections) {
            return maxConnectionsPerAddress > 0 ? maxConnectionsPerAddress : (3 * maxConnections + 3) / 4;
        }
    }

    /// With the defaults for crowds.
    public SurfaceConfig(
            List<String> hosts,
            int requestsPerSecond,
            int failuresPerMinute,
            boolean isStrict,
            Optional<Tls> tls,
            boolean isAudited) {
        this(hosts, requestsPerSecond, failuresPerMinute, isStrict, tls, isAudited, Crowd.DEFAULTS);
    }

    /// @param certificate the chain, PEM, the server's own first
    /// @param key its private key, PEM, PKCS #8, not encrypted
    public record Tls(Path certificate, Path key) {}

    public static final SurfaceConfig DEFAULTS =
            new SurfaceConfig(List.of(), 100_000, 60, false, Optional.empty(), false);

    public SurfaceConfig {
        hosts = List.copyOf(hosts);
    }
}
