package dev.perigee.serve;

import dev.perigee.fault.Fault;

/// The statuses that the original gives, for its clients that rely on them: 400 for who may not, 500 for whatever goes
/// wrong with a statement.
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
