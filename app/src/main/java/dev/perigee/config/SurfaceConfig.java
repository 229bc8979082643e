package dev.perigee.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the HTTP server's surface is guarded by.
///
/// @param hosts names that requests may be sent to, beside those of this machine; with a host that is no
///     loopback address,
///     empty is any
/// @param requestsPerSecond of one token, or of one subject of JWTs
/// @param failuresPerMinute wrong tokens from one address
/// @param isStrict whether statuses are the original's, where it answers 500 or 400 for what has a status
///     of its own
/// @param tls absent: HTTP without encryption
/// @param isAudited whether admins' calls are kept in `tmp_audit_log`
public record SurfaceConfig(
        List<String> hosts,
        int requestsPerSecond,
        int failuresPerMinute,
        boolean isStrict,
        Optional<Tls> tls,
        boolean isAudited) {
    /// @param certificate the chain, PEM, the server's own first
    /// @param key its private key, PEM, PKCS #8, not encrypted
    public record Tls(Path certificate, Path key) {}

    public static final SurfaceConfig DEFAULTS =
            new SurfaceConfig(List.of(), 100_000, 60, false, Optional.empty(), false);

    public SurfaceConfig {
        hosts = List.copyOf(hosts);
    }
}
