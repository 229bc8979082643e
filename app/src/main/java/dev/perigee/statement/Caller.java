package dev.perigee.statement;

import java.util.Map;
import java.util.Optional;

/// The sender of a request.
///
/// @param subject a JWT's `sub`; empty for callers by token
/// @param claims a JWT's claims, as JSON values; empty for callers by token
public record Caller(Role role, Optional<String> subject, Map<String, Object> claims) {
    public enum Role {
        ADMIN,
        CLIENT,
        /// A sender without a valid token; may use only routes that need none.
        NOBODY
    }

    public static final Caller ADMIN = new Caller(Role.ADMIN, Optional.empty(), Map.of());
    public static final Caller CLIENT = new Caller(Role.CLIENT, Optional.empty(), Map.of());
    public static final Caller NOBODY = new Caller(Role.NOBODY, Optional.empty(), Map.of());

    public Caller {
        claims = Map.copyOf(claims);
    }

    public boolean isAdmin() {
        return role == Role.ADMIN;
    }
}
