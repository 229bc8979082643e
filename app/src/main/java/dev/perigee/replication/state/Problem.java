package dev.perigee.replication.state;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.Set;

/// Why a sync failed, as the status and the results of syncs show it.
///
/// @param fault the name of the [Fault]
/// @param message where it happened, what was expected and found, and the state in which things were left
/// @param remedy what to do about it
public record Problem(String fault, String message, String remedy) {
    private static final Set<String> OF_SOURCE =
            Set.of(Fault.SOURCE_UNREACHABLE.name(), Fault.SOURCE_AUTH.name(), Fault.SOURCE_TLS.name());

    public static Problem of(PerigeeException failure) {
        return new Problem(failure.fault().name(), failure.getMessage(), failure.remedy());
    }

    /// Whether the problem concerns the source as a whole: it cannot be reached, or refuses the login or TLS.
    public boolean concernsSource() {
        return OF_SOURCE.contains(fault);
    }

    /// The same problem with another remedy, in the message too.
    ///
    /// @param toFix an imperative sentence without a full stop
    public Problem advising(String toFix) {
        return new Problem(fault, message.replace("To fix: " + remedy, "To fix: " + toFix), toFix);
    }

    /// Whether the same sync may succeed later without anybody's help. A fault name of a later version of Perigee
    /// counts as retryable.
    public boolean isRetryable() {
        for (Fault known : Fault.values()) {
            if (known.name().equals(fault)) return known.isRetryable();
        }
        return true;
    }
}
