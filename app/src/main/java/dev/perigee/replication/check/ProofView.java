package dev.perigee.replication.check;

import dev.perigee.replication.check.ProofRecords.Entry;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.Progress;
import java.time.Instant;
import java.util.Optional;

/// What was proved of one table, as `GET /replication/proof` shows it. The fields are explained in
/// `docs/replication.md`.
///
/// @param verdict `equal`, `repaired`, `different`, `unfinished`; `none` before the first verification
/// @param startedAt when it began
/// @param ms how long it took
/// @param asOf the time of the source's snapshot
/// @param position where the source's log stood then
/// @param rows of the source that were compared
/// @param pending rows that are only behind: the next sync fetches them
/// @param digest of the source's rows as they are stored
/// @param verified the last verification that found the copy right or made it so, unless it was replaced since
/// @param nextVerifyAt when the next one is due
/// @param running whether one runs, or waits for its turn
/// @param progress of the one that runs
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

    /// @param at the time of the source's snapshot, by the source's clock
    /// @param verdict `equal` or `repaired`
    public record Verified(Instant at, String verdict) {
        /// What still holds of a table's copy.
        public static Optional<Verified> of(Optional<Entry> entry, Optional<TableState> state) {
            return entry.flatMap(Entry::verified)
                    .filter(known -> state.filter(now -> now.generation() == known.generation())
                            .isPresent())
                    .map(known -> new Verified(known.at(), ConfigRecords.word(known.verdict())));
        }
    }

    /// A verification by itself, as it has just ended.
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
