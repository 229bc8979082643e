package dev.perigee.serve;

import dev.perigee.fault.Fault;

/// `compat: strict`: StarbaseDB's original status codes, for clients that depend on them. 400 instead of 401 and 403,
/// 500 for any statement error and nearly everything else.
final class StrictStatus {
    private StrictStatus() {}

    static int of(Fault fault) {
        return switch (fault) {
            case INVALID_REQUEST, UNAUTHORIZED, FORBIDDEN -> 400;
            case NOT_FOUND, METHOD_NOT_ALLOWED -> fault.httpStatus();
            default -> 500;
        };
    }
}
