package dev.perigee.replication.sync;

import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// Decides when a table is synced next.
@FunctionalInterface
public interface NextDue {
    /// @param started when the sync began
    /// @param finished when it ended
    /// @param failures failed syncs in a row, this one included; 0 after one that succeeded
    /// @param error why it failed
    Optional<Instant> after(Instant started, Instant finished, int failures, Optional<Problem> error);

    /// Never: for a sync that nobody scheduled.
    NextDue NEVER = (_, _, _, _) -> Optional.empty();
}
