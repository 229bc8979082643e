package dev.perigee.replication;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;

/// Why a sync failed, as the status and the results of a sync show it.
///
/// @param fault its name, one of [Fault]
/// @param message where it happened, what was expected and found, and the state things are left in
/// @param remedy what helps
public record Problem(String fault, String message, String remedy) {
    public static Problem of(PerigeeException failure) {
        return new Problem(failure.fault().name(), failure.getMessage(), failure.remedy());
    }

    /// The same problem where something else helps.
    ///
    /// @param toFix an imperative sentence without a full stop
    Problem advising(String toFix) {
        return new Problem(fault, message.replace("To fix: " + remedy, "To fix: " + toFix), toFix);
    }

    /// Whether the same sync may succeed later with nobody's help. A fault of a later version counts as one that may.
    boolean isRetryable() {
        for (Fault known : Fault.values()) {
            if (known.name().equals(fault)) return known.isRetryable();
        }
        return true;
    }
}
