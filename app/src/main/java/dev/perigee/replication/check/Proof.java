package dev.perigee.replication.check;

import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// The result of a verification: a row of `tmp_replication_proofs`, explained in `docs/format/`.
///
/// @param table the name the table is configured by
/// @param tookMs milliseconds from beginning to end
/// @param generation the generation of the copy that was compared; 0 if the comparison did not begin
/// @param asOf the time of the source's snapshot, by the source's clock; empty if none was taken
/// @param position where the source's log stood at the snapshot
/// @param rows the number of rows of the source that were compared
/// @param missing the number of rows that only the source had
/// @param different the number of rows whose values differed
/// @param extra the number of rows that only the copy had
/// @param pending the number of rows that seemed to differ and that the next sync fetches: behind, not lost
/// @param repaired how many of the missing, different and extra rows were written or removed
/// @param digest the digest of the source's rows as the copy stores them, see [dev.perigee.batch.Digest]
/// @param error why the verification is unfinished, or why differences were left
public record Proof(
        String table,
        Verdict verdict,
        Instant startedAt,
        long tookMs,
        long generation,
        Optional<Instant> asOf,
        Optional<String> position,
        long rows,
        long missing,
        long different,
        long extra,
        long pending,
        long repaired,
        Optional<String> digest,
        Optional<Problem> error) {

    /// The number of rows that were found wrong and were not repaired.
    ///
    /// @param mayKeep whether rows that only the copy has are meant to stay
    public long left(boolean mayKeep) {
        if (verdict != Verdict.DIFFERENT) return 0;
        return Math.max(0, missing + different + (mayKeep ? 0 : extra) - repaired);
    }

    enum Verdict {
        /// Copy and source are equal, except for rows that the next sync fetches.
        EQUAL,
        /// They differed, and all differences were repaired.
        REPAIRED,
        /// They differ.
        DIFFERENT,
        /// The verification could not be completed, so it is not known whether they differ.
        UNFINISHED;

        /// Whether the copy was found or made right.
        boolean isGood() {
            return this == EQUAL || this == REPAIRED;
        }
    }
}
