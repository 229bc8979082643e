package dev.perigee.replication.check;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.check.Recheck.Fixes;
import dev.perigee.replication.copy.StoredKey;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.MassDeleteGuard;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.replication.sync.ThreadFailures;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.random.RandomGenerator;

/// One sweep of one table: removes the rows from its copy that are gone at the source. Used once, on the check's
/// thread, never inside a task of the table's runner.
///
/// Keys are compared while syncs go on ([KeyComparison]), so the rows found are only candidates. Each candidate is
/// looked up again in a fresh snapshot while no sync runs ([Recheck]). It is removed only if a complete answer of the
/// source does not contain it. Between two lots of candidates, syncs that wait get to run.
final class SweepRun {
    /// Candidates checked in one lot, while syncs of the table wait.
    static final int LOT_ROWS = 5_000;

    private final Store store;
    private final Source source;
    private final TableRunner runner;
    private final SyncCancellation cancellation;
    private final RandomGenerator seeds;
    private final long confirmed;

    private long deleted;
    private long exchanged;
    private long awaiting;
    private Optional<KeyComparison.Found> first = Optional.empty();
    private Optional<KeyComparison.Found> last = Optional.empty();

    /// @param confirmed the number of rows that an admin allowed to be removed, see [MassDeleteGuard]; 0 for none
    SweepRun(
            Store store,
            Source source,
            TableRunner runner,
            long confirmed,
            RandomGenerator seeds,
            SyncCancellation cancellation) {
        this.store = store;
        this.source = source;
        this.runner = runner;
        this.confirmed = confirmed;
        this.seeds = seeds;
        this.cancellation = cancellation;
        this.awaiting = confirmed;
    }

    /// Sweeps the table to the end. Compares again as long as a comparison found more candidates than it could
    /// remember.
    ///
    /// @throws PerigeeException [Fault#MASS_DELETE] if an admin has to confirm the deletion; as [CheckTarget#of]; a
    ///     `SOURCE_*` fault. Rows removed before were gone at the source
    void run() throws InterruptedException {
        boolean isMore = true;
        while (isMore) {
            TableConfig config = runner.config();
            CheckTarget copy = CheckTarget.of(store, source, config);
            CopyKeys keys = new CopyKeys(store, copy, cancellation);
            Source remembered = SameTableSource.remembered(store, source, config, copy.table());
            KeyComparison.Found found = new KeyComparison(remembered, copy, keys, seeds.nextLong(), cancellation).run();
            exchanged += found.exchanged();
            if (first.isEmpty()) first = Optional.of(found);
            last = Optional.of(found);
            Recheck look = new Recheck(store, SameTableSource.since(remembered, copy.table(), found.identity()));
            guard(config, found, keys, look);
            long before = deleted;
            lots(found.candidates(), keys, look, Fixes.DELETES);
            isMore = found.candidates().hasMore() && deleted > before;
        }
        awaiting = 0;
    }

    /// The number of rows removed so far.
    long deleted() {
        return deleted;
    }

    /// The number of keys that the source sent so far.
    long exchanged() {
        return exchanged;
    }

    /// The number of rows whose removal waits for an admin's confirmation.
    long awaiting() {
        return awaiting;
    }

    /// The first comparison, which saw all rows of the copy; empty before it ended.
    Optional<KeyComparison.Found> first() {
        return first;
    }

    /// The latest comparison; empty before the first ended.
    Optional<KeyComparison.Found> last() {
        return last;
    }

    /// Stops the sweep before it removes anything, if more rows are gone than may be removed without a confirmation. If
    /// there are too many candidates, it first counts how many of them are really gone.
    private void guard(TableConfig config, KeyComparison.Found found, CopyKeys keys, Recheck look)
            throws InterruptedException {
        MassDeleteGuard mass = new MassDeleteGuard(config, found.compared(), confirmed);
        Candidates candidates = found.candidates();
        if (!mass.isAgainst(candidates.count())) return;
        long gone = lots(candidates, keys, look, Fixes.NONE) + candidates.count() - candidates.remembered();
        if (!mass.isAgainst(gone)) return;
        awaiting = gone;
        throw mass.fault(
                gone,
                "Nothing was deleted",
                "`perigee tables sweep %s --confirm`".formatted(Remedies.word(config.name())));
    }

    /// Rechecks all remembered candidates, lot by lot.
    ///
    /// @return the number of rows that only the copy has, or had before they were removed
    private long lots(Candidates candidates, CopyKeys keys, Recheck look, Fixes fixes) throws InterruptedException {
        long gone = 0;
        for (int from = 0; from < candidates.remembered(); from += LOT_ROWS) {
            cancellation.check();
            long[] rowids = candidates.part(from, LOT_ROWS);
            gone += exclusively(() -> counted(() -> {
                List<StoredKey> lot = keys.at(rowids);
                return look.look(runner.config(), lot, fixes, cancellation).extra();
            }));
        }
        return gone;
    }

    /// Counts the rows that a lot removes, also if it fails midway. Nothing else changes the copy meanwhile.
    private long counted(Lot lot) {
        long before = rows();
        try {
            return lot.run();
        } finally {
            deleted += before - rows();
        }
    }

    private long rows() {
        return Objects.requireNonNull(store.read(
                ReplicationTables.READ_LIMIT,
                tx -> StateRecords.find(tx, runner.name())
                        .map(TableState::copy)
                        .map(TableState.Copy::rows)
                        .orElse(0L)));
    }

    private interface Lot {
        long run();
    }

    private long exclusively(Lot lot) throws InterruptedException {
        try {
            return runner.exclusively(_ -> lot.run()).get();
        } catch (ExecutionException e) {
            throw ThreadFailures.unwrapped(e);
        }
    }
}
