package dev.perigee.replication.sync;

import dev.perigee.fault.PerigeeException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Lets another thread end a sync at its next page. What was committed stays; the page under way is not applied.
public final class SyncCancellation {
    private volatile @Nullable PerigeeException reason;

    /// Asks the sync to end. Only the first reason counts.
    ///
    /// @param reason the failure that callers who wait for the sync get
    public void cancel(PerigeeException reason) {
        if (this.reason == null) this.reason = reason;
    }

    public boolean isCancelled() {
        return reason != null;
    }

    public Optional<PerigeeException> reason() {
        return Optional.ofNullable(reason);
    }

    /// Called by the sync at each page.
    ///
    /// @throws PerigeeException the reason, if the sync was cancelled
    public void check() {
        PerigeeException why = reason;
        if (why != null) throw why;
    }
}
