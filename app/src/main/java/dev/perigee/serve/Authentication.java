package dev.perigee.serve;

import dev.perigee.config.ServeConfig;
import dev.perigee.fault.Fault;
import dev.perigee.statement.Caller;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Identifies the caller of a request: the admin by its token, a client by the client token, or a client by a JWT.
final class Authentication implements AutoCloseable {
    private static final String SCHEME = "Bearer ";

    private final byte[] adminHash;
    private final Optional<byte[]> clientHash;
    private final Optional<JwtVerifier> jwt;

    Authentication(ServeConfig config) {
        this.adminHash = hash(config.access().adminToken());
        this.clientHash = config.access().clientToken().map(Authentication::hash);
        this.jwt = config.access()
                .jwksEndpoint()
                .map(endpoint -> new JwtVerifier(endpoint, config.access().jwtAlgorithm()));
    }

    /// The caller of a request with this `Authorization` header; the word `Bearer` may be missing.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#UNAUTHORIZED] without a valid token, [Fault#BUSY] if the keys
    ///     that a JWT is checked with cannot be read
    Caller caller(@Nullable String authorization) {
        String token = token(authorization);
        if (token.isEmpty()) throw Fault.UNAUTHORIZED.saying("Unauthorized: send `Authorization: Bearer <token>`.");
        Optional<Caller> known = known(token);
        if (known.isPresent()) return known.get();
        if (jwt.isPresent() && token.indexOf('.') > 0) return jwt.get().caller(token);
        throw Fault.UNAUTHORIZED.saying("Unauthorized: the token is not valid.");
    }

    /// The caller with this admin or client token; empty for every other token. JWTs are not checked here, because
    /// fetching the keys for them may block.
    Optional<Caller> byToken(@Nullable String authorization) {
        String token = token(authorization);
        return token.isEmpty() ? Optional.empty() : known(token);
    }

    private Optional<Caller> known(String token) {
        byte[] hash = hash(token);
        // The hashes have equal length and are compared in constant time, so the timing reveals nothing of the token.
        boolean isAdmin = MessageDigest.isEqual(hash, adminHash);
        boolean isClient = clientHash.isPresent() && MessageDigest.isEqual(hash, clientHash.get());
        if (isAdmin) return Optional.of(Caller.ADMIN);
        return isClient ? Optional.of(Caller.CLIENT) : Optional.empty();
    }

    private static String token(@Nullable String authorization) {
        if (authorization == null) return "";
        String text = authorization.strip();
        if (text.equalsIgnoreCase(SCHEME.strip())) return "";
        return text.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                ? text.substring(SCHEME.length()).strip()
                : text;
    }

    static byte[] hash(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public void close() {
        jwt.ifPresent(JwtVerifier::close);
    }
}
