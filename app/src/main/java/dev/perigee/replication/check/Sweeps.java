package dev.perigee.replication.check;

import dev.perigee.config.Deletes;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.PluginHost;
import dev.perigee.replication.check.Sweep.Verdict;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.replication.sync.ThreadFailures;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs the sweeps of tables and records each. [CheckSchedule] decides when they are due, and sees to it that a table
/// has one check at a time. Safe for many threads.
public final class Sweeps implements CheckSchedule.Scheduled {
    private static final Logger LOG = LoggerFactory.getLogger(Sweeps.class);

    private final PluginHost host;
    private final Tables tables;
    private final Random seeds = new Random();
    private final Map<String, Sweep> last = new ConcurrentHashMap<>();

    public Sweeps(PluginHost host, Tables tables) {
        this.host = host;
        this.tables = tables;
    }

    /// Reads the last sweeps from the replica. Called at the start, and again after a table was renamed.
    public void load() {
        for (Sweep sweep : host.store().read(ReplicationTables.READ_LIMIT, SweepRecords::all)) {
            if (tables.find(sweep.table()).isPresent()) last.put(sweep.table(), sweep);
        }
    }

    /// The last sweep of a table; empty if there was none.
    public Optional<Sweep> last(String table) {
        return Optional.ofNullable(last.get(table));
    }

    /// Forgets the last sweep of a table that is no longer replicated under this name.
    public void forget(String table) {
        last.remove(table);
    }

    @Override
    public Optional<Duration> interval(TableConfig config) {
        return config.deletes() instanceof Deletes.Sweep(Duration interval) ? Optional.of(interval) : Optional.empty();
    }

    @Override
    public boolean run(TableRunner runner, SyncCancellation cancellation) {
        return sweep(runner, false, cancellation).verdict() != Verdict.FAILED;
    }

    /// Sweeps a table to the end, on the calling thread, and records the result.
    ///
    /// @param isConfirmed whether an admin allows the removal that an earlier sweep asked about
    /// @return the sweep as it was recorded; a failure is in its `error` and never thrown
    Sweep sweep(TableRunner runner, boolean isConfirmed, SyncCancellation cancellation) {
        Run run = Run.begin(
                tables.turns().sync().runs().nextId(),
                runner.name(),
                Run.Kind.SWEEP,
                host.clock().instant());
        long awaited = last(runner.name()).map(Sweep::awaiting).orElse(0L);
        Optional<String> before = last(runner.name()).flatMap(Sweep::error).map(Problem::fault);
        Optional<Problem> problem = Optional.empty();
        Optional<SweepRun> made = Optional.empty();
        try {
            SweepRun sweeping =
                    new SweepRun(host.store(), tables.source(), runner, isConfirmed ? awaited : 0, seeds, cancellation);
            made = Optional.of(sweeping);
            sweeping.run();
        } catch (InterruptedException e) {
            problem = Optional.of(Problem.of(cancellation
                    .reason()
                    .orElseGet(() -> Fault.CLOSED.in(
                            "table " + runner.name(),
                            "its sweep was interrupted",
                            "The next sweep starts from the beginning"))));
        } catch (RuntimeException e) {
            PerigeeException failure = ThreadFailures.unwrapped(e);
            problem = Optional.of(Problem.of(cancellation.reason().orElse(failure)));
            if (failure.fault() == Fault.INTERNAL)
                LOG.error("table {}: internal error in a sweep", runner.name(), failure);
        }
        Sweep sweep = outcome(runner, made, problem, awaited);
        // A fault that repeats at every interval is logged only once.
        boolean isNews = !problem.map(Problem::fault).equals(before);
        boolean isFailed = problem.isPresent() && !cancellation.isCancelled();
        if (isFailed && !tables.sourceTrouble().failed(runner.name(), problem.get(), isNews) && isNews)
            LOG.warn("{}", problem.get().message());
        record(runner, sweep, finished(run, sweep, cancellation));
        return sweep;
    }

    private Sweep outcome(TableRunner runner, Optional<SweepRun> made, Optional<Problem> problem, long awaitedBefore) {
        Instant now = host.clock().instant();
        long deleted = made.map(SweepRun::deleted).orElse(0L);
        boolean isMass =
                problem.filter(p -> p.fault().equals(Fault.MASS_DELETE.name())).isPresent();
        Verdict verdict = isMass
                ? Verdict.UNCONFIRMED
                : problem.isPresent() ? Verdict.FAILED : deleted > 0 ? Verdict.DELETED : Verdict.CLEAN;
        // Keep the pending confirmation until a later comparison completes.
        long awaiting = verdict == Verdict.FAILED
                ? awaitedBefore
                : made.map(SweepRun::awaiting).orElse(0L);
        Optional<KeyComparison.Found> first = made.flatMap(SweepRun::first);
        Optional<KeyComparison.Found> last = made.flatMap(SweepRun::last);
        Sweep.Rows rows = new Sweep.Rows(
                first.map(KeyComparison.Found::compared).orElse(0L),
                made.map(SweepRun::exchanged).orElse(0L),
                deleted,
                last.map(KeyComparison.Found::missing).orElse(0L));
        return new Sweep(
                runner.name(),
                now,
                verdict,
                rows,
                last.map(KeyComparison.Found::snapshot).orElse(SnapshotTime.NONE),
                awaiting,
                problem);
    }

    private Run finished(Run run, Sweep sweep, SyncCancellation cancellation) {
        long deleted = sweep.rows().deleted();
        RowCounts counts = new RowCounts(0, 0, deleted, Math.max(0, sweep.rows().compared() - deleted));
        Run.Outcome outcome = cancellation.isCancelled()
                ? Run.Outcome.STOPPED
                : sweep.error().isPresent() ? Run.Outcome.FAILED : Run.Outcome.OK;
        return run.counted(counts, Optional.empty()).finished(outcome, sweep.at(), sweep.error());
    }

    private void record(TableRunner runner, Sweep sweep, Run... runs) {
        last.put(runner.name(), sweep);
        try {
            host.store().write(tx -> {
                SweepRecords.put(tx, sweep);
                boolean isThere = StateRecords.find(tx, runner.name()).isPresent();
                for (Run run : runs) if (isThere) tables.turns().sync().runs().put(tx, run);
                return true;
            });
        } catch (PerigeeException e) {
            LOG.warn("table {}: its sweep could not be recorded: {}", runner.name(), e.getMessage());
        }
    }
}
