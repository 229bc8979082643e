package dev.perigee.replication.sync;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/// Failures that crossed a thread, as faults again.
public final class ThreadFailures {
    private ThreadFailures() {}

    /// The fault behind `failure`; what is none is a mistake of ours.
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
