package dev.perigee.replication.sync;

import dev.perigee.fault.PerigeeException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Lets somebody else end a sync at the next page. What was committed stays; the page under way is not applied.
public final class SyncCancellation {
    private volatile @Nullable PerigeeException reason;

    /// @param reason what those who wait for the sync are told
    public void cancel(PerigeeException reason) {
        if (this.reason == null) this.reason = reason;
    }

    public boolean isCancelled() {
        return reason != null;
    }

    public Optional<PerigeeException> reason() {
        return Optional.ofNullable(reason);
    }

    public void check() {
        PerigeeException why = reason;
        if (why != null) throw why;
    }
}
