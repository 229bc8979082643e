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

/// One sweep of one table: removes the rows from its copy that are gone at the source. Used once, by one thread, which
/// is not the table's own.
///
/// Keys are compared while syncs go on ([KeyComparison]), so what that finds are candidates. Each is looked at again,
/// in a fresh snapshot and while no sync runs, and removed only if a whole answer of the source is without it
/// ([Recheck]). Between two lots of candidates syncs take their turn.
final class SweepRun {
    /// Candidates that are looked at while syncs wait.
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

    /// @param confirmed rows that an admin allowed to be removed, see [MassDeleteGuard]
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

    /// @throws PerigeeException [Fault#MASS_DELETE] where an admin has to confirm; as [CheckTarget#of]; a `SOURCE_*`
    ///     fault. What was removed before was gone at the source
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

    /// Rows removed so far.
    long deleted() {
        return deleted;
    }

    /// Keys the source sent so far.
    long exchanged() {
        return exchanged;
    }

    /// Rows whose removal waits for an admin's word.
    long awaiting() {
        return awaiting;
    }

    /// The comparison that began it, which saw all there was.
    Optional<KeyComparison.Found> first() {
        return first;
    }

    /// The comparison made last.
    Optional<KeyComparison.Found> last() {
        return last;
    }

    /// Nothing is removed before it is known how many rows are really gone.
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

    /// @return rows that only the copy has, or had
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

    /// Counts what a lot removes, also one that breaks off: nothing else changes the copy meanwhile.
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
                        .map(TableState::rowCount)
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
