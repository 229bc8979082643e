package dev.perigee.replication.run;

import dev.perigee.replication.state.TableState;
import java.time.Instant;
import java.util.Optional;

/// Up to when a copy has everything, as the last look at the source has shown that found the table unchanged. Kept in
/// memory, and written now and then.
///
/// @param complete by the source's clock, see [dev.perigee.replication.state.SyncOutcome#completeAsOf]
/// @param fresh by our own clock, see [TableState.Syncs#freshAt]
public record AsOf(Instant complete, Instant fresh) {
    /// The state with these times, where they are later than its own.
    TableState in(TableState state) {
        Optional<Instant> before = state.outcome().completeAsOf();
        if (before.isEmpty() || !before.get().isBefore(complete)) return state;
        return state.asOf(complete, fresh);
    }
}
