package dev.perigee.replication.check;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// The result of a verification: a row of `tmp_replication_proofs`, explained in `docs/format/`.
///
/// @param table the name the table is configured by
/// @param tookMs milliseconds from beginning to end
/// @param generation the generation of the copy that was compared; 0 if the comparison did not begin
/// @param error why the verification is unfinished, or why differences were left
public record Proof(
        String table,
        Verdict verdict,
        Instant startedAt,
        long tookMs,
        long generation,
        Compared compared,
        Optional<Problem> error) {

    /// The rows of the source that were compared with the copy, and what was found.
    ///
    /// @param rows the number of rows of the source that were compared
    /// @param digest the digest of the source's rows as the copy stores them, see [dev.perigee.batch.Digest]
    public record Compared(
            @JsonUnwrapped SnapshotTime snapshot,
            long rows,
            @JsonUnwrapped Differences differences,
            Optional<String> digest) {
        /// Nothing was compared yet.
        static final Compared NOTHING = new Compared(SnapshotTime.NONE, 0, Differences.NONE, Optional.empty());
    }

    /// The number of rows in which source and copy differed.
    ///
    /// @param missing the number of rows that only the source had
    /// @param different the number of rows whose values differed
    /// @param extra the number of rows that only the copy had
    /// @param pending the number of rows that seemed to differ and that the next sync fetches: behind, not lost
    /// @param repaired how many of the missing, different and extra rows were written or removed
    public record Differences(long missing, long different, long extra, long pending, long repaired) {
        static final Differences NONE = new Differences(0, 0, 0, 0, 0);
    }

    /// The number of rows that were found wrong and were not repaired.
    ///
    /// @param mayKeep whether rows that only the copy has are meant to stay
    public long left(boolean mayKeep) {
        if (verdict != Verdict.DIFFERENT) return 0;
        Differences found = compared.differences();
        return Math.max(0, found.missing() + found.different() + (mayKeep ? 0 : found.extra()) - found.repaired());
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
