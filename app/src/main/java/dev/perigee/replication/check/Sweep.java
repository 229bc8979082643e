package dev.perigee.replication.check;

import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// A row of `tmp_replication_sweeps`: the last sweep of a table.
///
/// @param at when it ended
/// @param compared rows of the copy that were compared
/// @param exchanged keys the source sent for that
/// @param deleted rows removed from the copy
/// @param missing rows the source had that the copy did not have yet, among the keys sent
/// @param asOf the snapshot's time by the source's clock
/// @param position where the source's log stood then
/// @param awaiting rows whose removal waits for a person's word; 0 for none
/// @param error why it failed or asks
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
        /// Rows were removed.
        DELETED,
        /// So many would be removed that a person has to say so.
        UNCONFIRMED,
        /// It could not be made; what was removed before was gone at the source.
        FAILED
    }
}
