package dev.perigee.replication.sync;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/// Unwraps exceptions passed between threads back to the [PerigeeException] inside.
public final class ThreadFailures {
    private ThreadFailures() {}

    /// The [PerigeeException] behind `failure`. Any other exception is a bug in Perigee, and becomes [Fault#INTERNAL].
    public static PerigeeException unwrapped(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof PerigeeException fault
                ? fault
                : Fault.INTERNAL.in(
                        "replication", cause.toString(), "The cursor stands at the last committed page", cause);
    }
}
