package dev.perigee.replication.check;

import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// The last sweep of a table: a row of `tmp_replication_sweeps`.
///
/// @param table the name the table is configured by
/// @param at when the sweep ended
/// @param compared the number of rows of the copy that were compared
/// @param exchanged the number of keys that the source sent for that
/// @param deleted the number of rows removed from the copy
/// @param missing the number of keys sent whose rows the copy did not have yet
/// @param asOf the time of the source's snapshot, by the source's clock
/// @param position where the source's log stood at the snapshot
/// @param awaiting the number of rows whose removal waits for an admin's confirmation; 0 for none
/// @param error why the sweep failed, or why it needs a confirmation
public record Sweep(
        String table,
        Instant at,
        Verdict verdict,
        long compared,
        long exchanged,
        long deleted,
        long missing,
        Optional<Instant> asOf,
        Optional<String> position,
        long awaiting,
        Optional<Problem> error) {

    enum Verdict {
        /// The copy has no row that the source does not have.
        CLEAN,
        /// Rows were removed from the copy.
        DELETED,
        /// So many rows would be removed that an admin has to confirm it.
        UNCONFIRMED,
        /// The sweep could not be completed. Rows it had already removed were gone at the source.
        FAILED
    }
}
