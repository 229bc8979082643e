package dev.perigee.fault;

import org.jspecify.annotations.Nullable;

/// One occurrence of a [Fault]. Its message is fit for a user: it has no row values and no secrets.
public class PerigeeException extends RuntimeException {
    private final Fault fault;
    private final String remedy;

    /// Prefer [Fault#in] and [Fault#saying].
    protected PerigeeException(Fault fault, String message, String remedy, @Nullable Throwable cause) {
        super(message, cause);
        this.fault = fault;
        this.remedy = remedy;
    }

    /// What went wrong, by name.
    public Fault fault() {
        return fault;
    }

    /// What helps; mostly [Fault#remedy()].
    public String remedy() {
        return remedy;
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
