package dev.perigee.replication;

import dev.perigee.fault.PerigeeException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Lets somebody else end a sync at the next page. What was committed stays; the page under way is not applied.
final class Cancellation {
    private volatile @Nullable PerigeeException reason;

    /// @param reason what those who wait for the sync are told
    void cancel(PerigeeException reason) {
        if (this.reason == null) this.reason = reason;
    }

    boolean isCancelled() {
        return reason != null;
    }

    Optional<PerigeeException> reason() {
        return Optional.ofNullable(reason);
    }

    void check() {
        PerigeeException why = reason;
        if (why != null) throw why;
    }
}
