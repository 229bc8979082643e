package dev.perigee.worker;

/// The connection between the server and a worker broke, mostly because one of the two processes ended.
public final class WireException extends RuntimeException {
    WireException(String message) {
        super(message);
    }

    WireException(Throwable cause) {
        super(cause.toString(), cause);
    }
}
