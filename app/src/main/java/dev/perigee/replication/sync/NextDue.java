package dev.perigee.replication.sync;

import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// Decides when a table is synced next.
@FunctionalInterface
public interface NextDue {
    /// @param started when the sync began
    /// @param finished when it ended
    /// @param failures number of failed syncs in a row, this one included; 0 after a sync that succeeded
    /// @param error why the sync failed; empty after a sync that succeeded
    /// @return the due time; empty for none
    Optional<Instant> after(Instant started, Instant finished, int failures, Optional<Problem> error);

    /// No due time, for a sync outside any schedule.
    NextDue NEVER = (_, _, _, _) -> Optional.empty();
}
