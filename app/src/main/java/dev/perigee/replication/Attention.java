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

/// Something about a table that needs an admin to act, although its syncs may succeed. The page, `perigee status` and
/// the metrics show the same list.
///
/// @param about `recovering`, `set_aside`, `different`, `sweep` or `backfill`
/// @param rows how many rows it is about; 0 if that is not known
/// @param message what is wrong
/// @param remedy what to do next, as an imperative sentence without a full stop
public record Attention(String about, long rows, String message, String remedy) {
    /// Everything about a table that needs an admin; empty if nothing does.
    ///
    /// @param name the name the table is configured by
    /// @param wrong see [#wrong]
    static List<Attention> of(String name, TableStatus.Known known, long wrong) {
        List<Attention> all = new ArrayList<>();
        Optional<TableState> state = known.state();
        if (state.map(TableState::gaps).filter(TableState.Gaps::isRecovering).isPresent()) {
            all.add(new Attention(
                    "recovering",
                    0,
                    "The source went back in time or was replaced, and the copy may still have rows that differ from it",
                    "wait for the recovery that is under way; if none is, run `perigee tables recover %s`"
                            .formatted(Remedies.word(name))));
        }
        long setAside =
                state.map(TableState::gaps).map(TableState.Gaps::setAside).orElse(0L);
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
                    "A verification found %,d rows that differ from the source and were not repaired".formatted(wrong),
                    "run `perigee verify --table %s --repair`".formatted(Remedies.word(name))));
        }
        boolean isSynced =
                state.map(TableState::syncs).flatMap(TableState.Syncs::error).isEmpty();
        known.sweep().ifPresent(sweep -> ofSweep(name, sweep, isSynced).ifPresent(all::add));
        known.backfill().ifPresent(backfill -> ofBackfill(name, backfill).ifPresent(all::add));
        return all;
    }

    /// How many rows the last verification found different and did not repair; 0 if the copy was replaced since. Rows
    /// that only the copy has do not count in a table whose `deletes` is `ignore`.
    static long wrong(Optional<TableState> state, Optional<ProofRecords.Entry> proof, TableConfig config) {
        boolean mayKeep = config.deletes() instanceof Deletes.Ignore;
        return proof.map(ProofRecords.Entry::last)
                .filter(last -> state.filter(now -> now.copy().generation() == last.generation())
                        .isPresent())
                .map(last -> last.left(mayKeep))
                .orElse(0L);
    }

    /// @param isSynced whether the last sync succeeded. If it failed, the status shows its fault, and the sweep's
    ///     failure usually has the same cause
    private static Optional<Attention> ofSweep(String name, Sweep sweep, boolean isSynced) {
        if (sweep.awaiting() > 0) {
            return Optional.of(new Attention(
                    "sweep",
                    sweep.awaiting(),
                    "A sweep would remove %,d rows and waits for a confirmation".formatted(sweep.awaiting()),
                    "check whether the source really lost these rows; if it did, run `perigee tables sweep %s --confirm`"
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
