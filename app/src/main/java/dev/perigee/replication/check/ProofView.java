package dev.perigee.replication.check;

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
/// @param asOf the time of the source's snapshot, by the source's clock
/// @param position where the source's log stood at the snapshot
/// @param rows the number of rows of the source that were compared
/// @param pending the number of rows that are only behind: the next sync fetches them
/// @param digest the digest of the source's rows as the copy stores them
/// @param verified the last verification that found the copy equal or repaired it; empty if the copy was replaced since
/// @param nextVerifyAt when the next verification is due by schedule
/// @param running whether a check of the table runs, or waits for its turn
/// @param progress the progress of the running verification
public record ProofView(
        String table,
        String verdict,
        Optional<Instant> startedAt,
        Optional<Long> ms,
        Optional<Instant> asOf,
        Optional<String> position,
        long rows,
        long missing,
        long different,
        long extra,
        long pending,
        long repaired,
        Optional<String> digest,
        Optional<Problem> error,
        Optional<Verified> verified,
        Optional<Instant> nextVerifyAt,
        boolean running,
        Optional<Progress> progress) {

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

    /// A verification that has just ended, without what else is known of the table.
    public static ProofView of(String table, Optional<Proof> proof) {
        return of(table, proof, Optional.empty(), Optional.empty(), false, Optional.empty());
    }

    public static ProofView of(
            String table,
            Optional<Proof> proof,
            Optional<Verified> verified,
            Optional<Instant> nextVerifyAt,
            boolean isRunning,
            Optional<Progress> progress) {
        return new ProofView(
                table,
                proof.map(Proof::verdict).map(ConfigRecords::word).orElse("none"),
                proof.map(Proof::startedAt),
                proof.map(Proof::tookMs),
                proof.flatMap(Proof::asOf),
                proof.flatMap(Proof::position),
                proof.map(Proof::rows).orElse(0L),
                proof.map(Proof::missing).orElse(0L),
                proof.map(Proof::different).orElse(0L),
                proof.map(Proof::extra).orElse(0L),
                proof.map(Proof::pending).orElse(0L),
                proof.map(Proof::repaired).orElse(0L),
                proof.flatMap(Proof::digest),
                proof.flatMap(Proof::error),
                verified,
                nextVerifyAt,
                isRunning,
                progress);
    }
}
