package dev.perigee.fault;

import org.jspecify.annotations.Nullable;

/// One occurrence of a [Fault]. Its message may be shown to users: it contains no row values and no secrets.
public class PerigeeException extends RuntimeException {
    private final Fault fault;
    private final String remedy;

    /// For subclasses; other code uses [Fault#in] and [Fault#saying].
    protected PerigeeException(Fault fault, String message, String remedy, @Nullable Throwable cause) {
        super(message, cause);
        this.fault = fault;
        this.remedy = remedy;
    }

    /// What went wrong, by name.
    public Fault fault() {
        return fault;
    }

    /// What to do about it: the remedy of this occurrence, which is mostly [Fault#remedy()].
    public String remedy() {
        return remedy;
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
