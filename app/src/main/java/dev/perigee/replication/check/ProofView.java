package dev.perigee.replication.check;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.perigee.replication.check.ProofRecords.Entry;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.Progress;
import java.time.Instant;
import java.util.Optional;

/// The last verification of one table, as `GET /replication/proof` shows it. The fields are explained in
/// `docs/replication.md`.
///
/// @param verdict `equal`, `repaired`, `different`, `unfinished`; `none` before the first verification
/// @param startedAt when the verification began
/// @param ms how long it took, in milliseconds
/// @param compared what was compared and found, with its fields beside the others in JSON; all zero before the first
///     verification
/// @param verified the last verification that found the copy equal or repaired it; empty if the copy was replaced since
/// @param next the verification that runs or is due next, with its fields beside the others in JSON
public record ProofView(
        String table,
        String verdict,
        Optional<Instant> startedAt,
        Optional<Long> ms,
        @JsonUnwrapped Proof.Compared compared,
        Optional<Problem> error,
        Optional<Verified> verified,
        @JsonUnwrapped Next next) {

    /// The last verification that still holds.
    ///
    /// @param at the time of the source's snapshot, by the source's clock
    /// @param verdict `equal` or `repaired`
    public record Verified(Instant at, String verdict) {
        /// The entry's [ProofRecords.Verified], if it speaks of the copy's present generation.
        public static Optional<Verified> of(Optional<Entry> entry, Optional<TableState> state) {
            return entry.flatMap(Entry::verified)
                    .filter(known -> state.filter(now -> now.copy().generation() == known.generation())
                            .isPresent())
                    .map(known -> new Verified(known.at(), ConfigRecords.word(known.verdict())));
        }
    }

    /// The verification of the table that runs or is due next.
    ///
    /// @param nextVerifyAt when the next verification is due by schedule
    /// @param running whether a check of the table runs, or waits for its turn
    /// @param progress the progress of the running verification
    public record Next(Optional<Instant> nextVerifyAt, boolean running, Optional<Progress> progress) {
        /// None runs.
        static Next due(Optional<Instant> nextVerifyAt) {
            return new Next(nextVerifyAt, false, Optional.empty());
        }
    }

    /// A verification that has just ended, without what else is known of the table.
    public static ProofView of(Proof proof) {
        return of(proof.table(), Optional.of(proof), Optional.empty(), Next.due(Optional.empty()));
    }

    static ProofView of(String table, Optional<Proof> proof, Optional<Verified> verified, Next next) {
        return new ProofView(
                table,
                proof.map(Proof::verdict).map(ConfigRecords::word).orElse("none"),
                proof.map(Proof::startedAt),
                proof.map(Proof::tookMs),
                proof.map(Proof::compared).orElse(Proof.Compared.NOTHING),
                proof.flatMap(Proof::error),
                verified,
                next);
    }
}
