package dev.perigee.replication;

import dev.perigee.config.Deletes;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.PluginHost;
import dev.perigee.replication.Sweep.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The sweeps of all tables: one at a time, each recorded, the next one due when its table says so. Who asks for a
/// sweep of a table while one runs joins it, unless they confirm what that one may ask: then another follows.
final class Sweeps {
    /// Sweeps at once: each holds the source's snapshot for a while and up to some tens of megabytes here.
    static final int AT_ONCE = 1;

    /// How long a sweep that is told to stop may take to come to the end of a page.
    static final Duration STOP_GRACE = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(Sweeps.class);

    private record Running(
            boolean isConfirmed, Cancellation cancellation, Thread thread, CompletableFuture<Sweep> result) {}

    private final PluginHost host;
    private final Tables tables;
    private final Runnable rescheduling;
    private final Semaphore turns = new Semaphore(AT_ONCE, true);
    private final Map<String, Running> running = new ConcurrentHashMap<>();
    private final Random seeds = new Random();
    private volatile boolean isStopped;

    /// @param rescheduling called when a table's due time may have changed
    Sweeps(PluginHost host, Tables tables, Runnable rescheduling) {
        this.host = host;
        this.tables = tables;
        this.rescheduling = rescheduling;
    }

    /// Takes over what the replica remembers.
    void load() {
        Map<String, TableRunner> runners = new ConcurrentHashMap<>();
        tables.all().forEach(runner -> runners.put(runner.name(), runner));
        for (Sweep sweep : host.store().read(SyncPlan.READ_LIMIT, SweepTable::all)) {
            TableRunner runner = runners.get(sweep.table());
            if (runner != null) runner.swept(sweep);
        }
    }

    /// The earliest due time of the tables that are swept, neither paused nor being swept.
    Optional<Instant> nextDue() {
        return tables.all().stream().flatMap(runner -> due(runner).stream()).min(Instant::compareTo);
    }

    /// Starts the sweeps that are due. A table that is looked at for the first time is due after its interval.
    void sweepDue(Instant now) {
        for (TableRunner runner : tables.all()) {
            if (isSwept(runner) && runner.swept().isEmpty()) {
                SweepSchedule.next(runner.config(), Verdict.NONE, now, Optional.empty())
                        .ifPresent(due -> record(runner, Sweep.scheduled(runner.name(), now, due)));
            }
            if (due(runner).filter(due -> !due.isAfter(now)).isPresent()) {
                CompletableFuture<Sweep> _ = sweep(runner, false); // its end is recorded
            }
        }
    }

    /// Sweeps a table now.
    ///
    /// @param isConfirmed whether rows may be removed that an earlier sweep asked about
    /// @return what is recorded; a failure is in it, and never thrown
    /// @throws PerigeeException [Fault#INVALID_REQUEST] for a table that is not swept
    CompletableFuture<Sweep> sweep(TableRunner runner, boolean isConfirmed) {
        if (!(runner.config().deletes() instanceof Deletes.Sweep)) {
            throw Fault.INVALID_REQUEST.in(
                    "table " + runner.name(),
                    "its `deletes` is %s, expected sweep(interval)"
                            .formatted(runner.config().deletes().text()),
                    "Nothing was deleted");
        }
        synchronized (running) {
            if (isStopped) throw Fault.CLOSED.in("replication", "Perigee stops", "Nothing was deleted");
            Running now = running.get(runner.name());
            if (now == null) return start(runner, isConfirmed);
            if (now.isConfirmed() || !isConfirmed) return now.result();
            return now.result().thenCompose(_ -> sweep(runner, true));
        }
    }

    /// Ends what runs within seconds; what was removed was gone at the source.
    void stop() {
        synchronized (running) {
            isStopped = true;
        }
        PerigeeException stopping = Fault.CLOSED.in("replication", "Perigee stops", "The sweep begins anew later");
        running.values().forEach(now -> now.cancellation().cancel(stopping));
        for (Running now : running.values()) {
            now.thread().interrupt(); // it may wait for its turn, or for the source
            try {
                now.thread().join(STOP_GRACE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private CompletableFuture<Sweep> start(TableRunner runner, boolean isConfirmed) {
        CompletableFuture<Sweep> result = new CompletableFuture<>();
        Cancellation cancellation = new Cancellation();
        Thread thread = Thread.ofVirtual().name("perigee-sweep-" + runner.name()).unstarted(() -> {
            Sweep sweep = recorded(runner, isConfirmed, cancellation);
            synchronized (running) {
                running.remove(runner.name());
            }
            result.complete(sweep);
            if (!isStopped) rescheduling.run();
        });
        running.put(runner.name(), new Running(isConfirmed, cancellation, thread, result));
        thread.start();
        return result;
    }

    private Sweep recorded(TableRunner runner, boolean isConfirmed, Cancellation cancellation) {
        Run run = Run.begin(tables.runs().nextId(), runner.name(), Run.Kind.SWEEP, host.clock().instant());
        long awaited = runner.swept().map(Sweep::awaiting).orElse(0L);
        Optional<Problem> problem = Optional.empty();
        Optional<SweepRun> made = Optional.empty();
        try {
            turns.acquire();
            try {
                SweepRun sweeping = new SweepRun(
                        host.store(), tables.source(), runner, isConfirmed ? awaited : 0, seeds, cancellation);
                made = Optional.of(sweeping);
                sweeping.run();
            } finally {
                turns.release();
            }
        } catch (InterruptedException e) {
            problem = Optional.of(Problem.of(cancellation
                    .reason()
                    .orElseGet(() ->
                            Fault.CLOSED.in("table " + runner.name(), "its sweep was interrupted", "It begins anew"))));
        } catch (RuntimeException e) {
            PerigeeException failure = Failures.unwrapped(e);
            problem = Optional.of(Problem.of(cancellation.reason().orElse(failure)));
            if (failure.fault() == Fault.INTERNAL) LOG.error("table {}: a mistake of Perigee's", runner.name(), failure);
        }
        Sweep sweep = outcome(runner, made, problem, awaited);
        if (problem.isPresent() && !cancellation.isCancelled()) LOG.warn("{}", problem.get().message());
        record(runner, sweep, finished(run, sweep, cancellation));
        return sweep;
    }

    private Sweep outcome(
            TableRunner runner, Optional<SweepRun> made, Optional<Problem> problem, long awaitedBefore) {
        Instant now = host.clock().instant();
        long deleted = made.map(SweepRun::deleted).orElse(0L);
        boolean isMass = problem.filter(p -> p.fault().equals(Fault.MASS_DELETE.name())).isPresent();
        Verdict verdict = isMass
                ? Verdict.UNCONFIRMED
                : problem.isPresent() ? Verdict.FAILED : deleted > 0 ? Verdict.DELETED : Verdict.CLEAN;
        // Until a comparison came to its end, what was asked before is asked still.
        long awaiting = verdict == Verdict.FAILED ? awaitedBefore : made.map(SweepRun::awaiting).orElse(0L);
        Optional<KeyComparison.Found> first = made.flatMap(SweepRun::first);
        Optional<KeyComparison.Found> last = made.flatMap(SweepRun::last);
        return new Sweep(
                runner.name(),
                now,
                verdict,
                first.map(KeyComparison.Found::compared).orElse(0L),
                made.map(SweepRun::exchanged).orElse(0L),
                deleted,
                last.map(KeyComparison.Found::missing).orElse(0L),
                last.map(found -> found.moment().at()),
                last.flatMap(KeyComparison.Found::position),
                SweepSchedule.next(runner.config(), verdict, now, problem),
                awaiting,
                problem);
    }

    private Run finished(Run run, Sweep sweep, Cancellation cancellation) {
        Counts counts = new Counts(0, 0, sweep.deleted(), Math.max(0, sweep.compared() - sweep.deleted()));
        Run.Outcome outcome = cancellation.isCancelled()
                ? Run.Outcome.STOPPED
                : sweep.error().isPresent() ? Run.Outcome.FAILED : Run.Outcome.OK;
        return run.counted(counts, Optional.empty()).finished(outcome, sweep.at(), sweep.error());
    }

    private void record(TableRunner runner, Sweep sweep, Run... runs) {
        runner.swept(sweep);
        try {
            host.store().write(tx -> {
                SweepTable.put(tx, sweep);
                boolean isThere = StateTable.find(tx, runner.name()).isPresent();
                for (Run run : runs) if (isThere) tables.runs().put(tx, run);
                return true;
            });
        } catch (PerigeeException e) {
            LOG.warn("table {}: its sweep could not be recorded: {}", runner.name(), e.getMessage());
        }
    }

    private boolean isSwept(TableRunner runner) {
        return !isStopped && !runner.isPaused() && runner.config().deletes() instanceof Deletes.Sweep;
    }

    private Optional<Instant> due(TableRunner runner) {
        if (!isSwept(runner) || running.containsKey(runner.name())) return Optional.empty();
        return runner.swept().flatMap(last -> SweepSchedule.next(runner.config(), last));
    }
}
