package dev.perigee.replication.check;

import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// What a verification found: a row of `tmp_replication_proofs`, explained in `docs/format/`.
///
/// @param table the name it is configured by
/// @param tookMs milliseconds from beginning to end
/// @param generation of the copy that was compared
/// @param asOf the time of the source's snapshot, by the source's clock; empty where none was taken
/// @param position where the source's log stood then
/// @param rows of the source that were compared
/// @param missing rows that only the source had
/// @param different rows whose values differed
/// @param extra rows that only the copy had
/// @param pending rows that seemed to differ and that the next sync fetches: behind, not lost
/// @param repaired rows of these that were written or removed
/// @param digest of the source's rows as they are stored, see [dev.perigee.batch.Digest]
/// @param error why it is unfinished, or why differences were left
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

    /// Rows that were found wrong and were left so.
    ///
    /// @param mayKeep whether rows that only the copy has are meant to stay
    public long left(boolean mayKeep) {
        if (verdict != Verdict.DIFFERENT) return 0;
        return Math.max(0, missing + different + (mayKeep ? 0 : extra) - repaired);
    }

    enum Verdict {
        /// Copy and source are the same, but for what the next sync fetches.
        EQUAL,
        /// They were not, and are now.
        REPAIRED,
        /// They are not.
        DIFFERENT,
        /// It is not known.
        UNFINISHED;

        /// Whether the copy was found or made right.
        boolean isGood() {
            return this == EQUAL || this == REPAIRED;
        }
    }
}
