package dev.perigee.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Protection of the HTTP server against strangers and overload.
///
/// @param hosts host names that requests may be sent to, in addition to the loopback names. Empty: any name, unless the
///     server listens on a loopback address.
/// @param requestsPerSecond rate limit of one token, or of one subject of JWTs
/// @param failuresPerMinute rate limit on wrong tokens from one address
/// @param isStrict `compat: strict`: StarbaseDB's original status codes, which are 400 or 500 for most errors
/// @param tls certificate and key for HTTPS; absent: HTTP without encryption
/// @param crowd limits that keep many or slow requests from shutting others out
/// @param isAudited whether admins' calls are kept in `tmp_audit_log`
public record SurfaceConfig(
        List<String> hosts,
        int requestsPerSecond,
        int failuresPerMinute,
        boolean isStrict,
        Optional<Tls> tls,
        boolean isAudited,
        Crowd crowd) {
    /// Limits that keep many or slow requests from shutting others out.
    ///
    /// @param adminPlaces how many of the requests that may run at once are reserved for admins
    /// @param minBodyBytesPerSecond the least average rate of a request's body; a slower one ends its connection; 0 for
    ///     no limit
    /// @param maxConnectionsPerAddress open connections of one address; 0: three quarters of all, rounded up
    public record Crowd(int adminPlaces, int minBodyBytesPerSecond, int maxConnectionsPerAddress) {
        public static final Crowd DEFAULTS = new Crowd(32, 1024, 0);

        /// How many connections one address may have open.
        ///
        /// @param maxConnections the limit for all addresses together
        public int connectionsOfOneAddress(int maxConnections) {
            return maxConnectionsPerAddress > 0 ? maxConnectionsPerAddress : (3 * maxConnections + 3) / 4;
        }
    }

    /// With the default [Crowd].
    public SurfaceConfig(
            List<String> hosts,
            int requestsPerSecond,
            int failuresPerMinute,
            boolean isStrict,
            Optional<Tls> tls,
            boolean isAudited) {
        this(hosts, requestsPerSecond, failuresPerMinute, isStrict, tls, isAudited, Crowd.DEFAULTS);
    }

    /// The files for HTTPS.
    ///
    /// @param certificate the certificate chain in PEM, the server's own certificate first
    /// @param key its private key in PEM, PKCS #8, not encrypted
    public record Tls(Path certificate, Path key) {}

    public static final SurfaceConfig DEFAULTS =
            new SurfaceConfig(List.of(), 100_000, 60, false, Optional.empty(), false);

    public SurfaceConfig {
        hosts = List.copyOf(hosts);
    }
}
