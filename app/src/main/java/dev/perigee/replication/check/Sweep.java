package dev.perigee.replication.check;

import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// The last sweep of a table: a row of `tmp_replication_sweeps`.
///
/// @param table the name the table is configured by
/// @param at when the sweep ended
/// @param awaiting the number of rows whose removal waits for an admin's confirmation; 0 for none
/// @param error why the sweep failed, or why it needs a confirmation
public record Sweep(
        String table,
        Instant at,
        Verdict verdict,
        Rows rows,
        SnapshotTime snapshot,
        long awaiting,
        Optional<Problem> error) {

    /// How many rows and keys a sweep compared, and how many rows it removed.
    ///
    /// @param compared the number of rows of the copy that were compared with the source
    /// @param exchanged the number of keys that the source sent for that
    /// @param deleted the number of rows removed from the copy
    /// @param missing the number of keys sent whose rows the copy did not have yet
    public record Rows(long compared, long exchanged, long deleted, long missing) {}

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
