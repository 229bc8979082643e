package dev.perigee.replication;

import dev.perigee.config.Deletes;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.backfill.BackfillStatus;
import dev.perigee.replication.check.ProofRecords;
import dev.perigee.replication.check.Sweep;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.TableState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Something about a table that stays until somebody does something, although its syncs succeed. The page,
/// `perigee status` and the metrics show the same list.
///
/// @param about `recovering`, `set_aside`, `different`, `sweep` or `backfill`
/// @param rows how many rows it is about; 0 where that is not known
/// @param message what is so
/// @param remedy what to do next, as an imperative sentence without a full stop
public record Attention(String about, long rows, String message, String remedy) {
    /// What waits for somebody at this table.
    ///
    /// @param wrong rows that a verification found different and left so
    static List<Attention> of(String name, TableStatus.Known known, long wrong) {
        List<Attention> all = new ArrayList<>();
        Optional<TableState> state = known.state();
        if (state.filter(TableState::isRecovering).isPresent()) {
            all.add(new Attention(
                    "recovering",
                    0,
                    "The source went back or was replaced, and rows from before are not all as they are there",
                    "wait for the recovery that is under way; where none is, run `perigee tables recover %s`"
                            .formatted(Remedies.word(name))));
        }
        long setAside = state.map(TableState::setAside).orElse(0L);
        if (setAside > 0) {
            all.add(new Attention(
                    "set_aside",
                    setAside,
                    "%,d rows could not be stored and are set aside".formatted(setAside),
                    "see why with `perigee tables set-aside %s`".formatted(Remedies.word(name))));
        }
        if (wrong > 0) {
            all.add(new Attention(
                    "different",
                    wrong,
                    "A verification found %,d rows that are not as they are at the source".formatted(wrong),
                    "run `perigee verify --table %s --repair`".formatted(Remedies.word(name))));
        }
        boolean isSynced = state.flatMap(TableState::error).isEmpty();
        known.sweep().ifPresent(sweep -> ofSweep(name, sweep, isSynced).ifPresent(all::add));
        known.backfill().ifPresent(backfill -> ofBackfill(name, backfill).ifPresent(all::add));
        return all;
    }

    /// How many rows of the copy are known to be wrong.
    static long wrong(Optional<TableState> state, Optional<ProofRecords.Entry> proof, TableConfig config) {
        boolean mayKeep = config.deletes() instanceof Deletes.Ignore;
        return proof.map(ProofRecords.Entry::last)
                .filter(last -> state.filter(now -> now.generation() == last.generation())
                        .isPresent())
                .map(last -> last.left(mayKeep))
                .orElse(0L);
    }

    /// @param isSynced whether the last sync succeeded; else its fault is said, and the sweep's follows from it
    private static Optional<Attention> ofSweep(String name, Sweep sweep, boolean isSynced) {
        if (sweep.awaiting() > 0) {
            return Optional.of(new Attention(
                    "sweep",
                    sweep.awaiting(),
                    "A sweep would remove %,d rows and waits for a confirmation".formatted(sweep.awaiting()),
                    "look whether the source really lost these rows; if it did, run `perigee tables sweep %s --confirm`"
                            .formatted(Remedies.word(name))));
        }
        return sweep.error()
                .filter(_ -> isSynced)
                .map(error -> new Attention("sweep", 0, error.message(), error.remedy()));
    }

    private static Optional<Attention> ofBackfill(String name, BackfillStatus backfill) {
        if (backfill.error().isEmpty()) return Optional.empty();
        Problem error = backfill.error().get();
        boolean isWaiting = backfill.state().equals("waiting");
        return Optional.of(new Attention(
                "backfill",
                0,
                error.message(),
                isWaiting
                        ? "confirm it with `perigee tables backfill %s --confirm`, or end it with --cancel"
                                .formatted(Remedies.word(name))
                        : error.remedy()));
    }
}
