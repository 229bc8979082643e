package dev.perigee.replication.state;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.Set;

/// Why a sync failed, as the status and the results of a sync show it.
///
/// @param fault its name, one of [Fault]
/// @param message where it happened, what was expected and found, and the state things are left in
/// @param remedy what helps
public record Problem(String fault, String message, String remedy) {
    private static final Set<String> OF_SOURCE =
            Set.of(Fault.SOURCE_UNREACHABLE.name(), Fault.SOURCE_AUTH.name(), Fault.SOURCE_TLS.name());

    public static Problem of(PerigeeException failure) {
        return new Problem(failure.fault().name(), failure.getMessage(), failure.remedy());
    }

    /// Whether it stands in the way of the source as a whole: it cannot be reached, or lets nobody in.
    public boolean concernsSource() {
        return OF_SOURCE.contains(fault);
    }

    /// The same problem where something else helps.
    ///
    /// @param toFix an imperative sentence without a full stop
    public Problem advising(String toFix) {
        return new Problem(fault, message.replace("To fix: " + remedy, "To fix: " + toFix), toFix);
    }

    /// Whether the same sync may succeed later with nobody's help. A fault of a later version counts as one that may.
    public boolean isRetryable() {
        for (Fault known : Fault.values()) {
            if (known.name().equals(fault)) return known.isRetryable();
        }
        return true;
    }
}
