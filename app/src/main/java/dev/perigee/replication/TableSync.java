package dev.perigee.replication;

import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import dev.perigee.store.Store.Transaction;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Syncs tables: the one way rows come into a replica, for the server and for the command line.
///
/// A page's rows, the cursor that covers them and the record of the run are one SQLite transaction. So a copy stands
/// exactly at its cursor at any moment, also after a crash: it is what the source sent up to `(cursor, key)`.
///
/// Safe for many threads, each with a table of its own; two syncs of one table at once are the caller's to prevent.
public final class TableSync {
    private static final Logger LOG = LoggerFactory.getLogger(TableSync.class);

    private final Store store;
    private final Supplier<Source> source;
    private final InstantSource clock;
    private final RunTable runs;
    private final BiConsumer<String, String> copyStands;

    /// Brings the replica's replication tables up to date and clears up after a crash.
    ///
    /// @param source asked for at each sync; may throw [Fault#SOURCE_NOT_CONFIGURED]
    /// @param keepRuns run records kept for each table
    /// @param copyStands told the configured name of a table and the name its copy has, before rows go into it
    TableSync(
            Store store,
            Supplier<Source> source,
            InstantSource clock,
            int keepRuns,
            BiConsumer<String, String> copyStands) {
        store.migrate(ReplicationTables.ROOM, ReplicationTables.VERSIONS);
        store.write(tx -> {
            clearUp(tx);
            return true;
        });
        this.store = store;
        this.source = source;
        this.clock = clock;
        this.copyStands = copyStands;
        this.runs = new RunTable(store, keepRuns);
    }

    /// For syncs without a server. The replica must not be served at the same time.
    public TableSync(Store store, Source source) {
        this(
                store,
                () -> source,
                InstantSource.system(),
                ReplicationConfig.defaults().keepRuns(),
                (_, _) -> {});
    }

    /// Pulls what is new since the table's cursor; everything where there is none. Makes the copy where it is missing.
    /// A failure is in the result and in `tmp_replication_state`, never thrown.
    public SyncResult run(TableConfig config, SyncListener listener) {
        return run(config, Run.Kind.SYNC, listener, new Cancellation(), NextDue.NEVER);
    }

    SyncResult run(TableConfig config, Run.Kind kind, SyncListener listener, Cancellation cancellation, NextDue next) {
        Run begun = Run.begin(runs.nextId(), config.name(), kind, clock.instant());
        SyncRun syncing = null;
        try {
            Source from = source.get();
            cancellation.check();
            SyncPlan plan = SyncPlan.make(store, from, config, kind);
            if (plan.shadow().isEmpty())
                copyStands.accept(config.name(), plan.definition().target());
            syncing = new SyncRun(store, from, clock, runs, config, plan, begun, listener, cancellation);
            syncing.pull();
            SyncResult result = succeeded(syncing, next);
            if (plan.shadow().isPresent())
                copyStands.accept(config.name(), plan.definition().target());
            return result;
        } catch (RuntimeException e) {
            return failed(syncing == null ? begun : syncing.committed(), Failures.unwrapped(e), cancellation, next);
        }
    }

    private SyncResult succeeded(SyncRun syncing, NextDue next) {
        Instant now = clock.instant();
        Run run = syncing.committed().finished(Run.Outcome.OK, now, Optional.empty());
        store.write(tx -> {
            syncing.finish(tx);
            StateTable.succeeded(
                    tx, run.table(), run.startedAt(), now, next.after(run.startedAt(), now, 0, Optional.empty()));
            runs.put(tx, run);
            return true;
        });
        return SyncResult.of(run.table(), run.counts(), run.durationMs(now), Optional.empty());
    }

    /// Cancelled syncs are no failures of the table: its error, its due time and its count of failures stay.
    private SyncResult failed(Run committed, PerigeeException failure, Cancellation cancellation, NextDue next) {
        Instant now = clock.instant();
        Problem problem = Problem.of(cancellation.reason().orElse(failure));
        Run.Outcome outcome = cancellation.isCancelled() ? Run.Outcome.STOPPED : Run.Outcome.FAILED;
        Run run = committed.finished(outcome, now, Optional.of(problem));
        try {
            boolean isNew = store.write(tx -> {
                boolean isNews = false;
                dropShadow(tx, run.table());
                if (outcome == Run.Outcome.FAILED) {
                    StateTable.ensure(tx, run.table());
                    TableState state = StateTable.find(tx, run.table()).orElseThrow();
                    int failures = state.failures() + 1;
                    Optional<Instant> due = next.after(run.startedAt(), now, failures, Optional.of(problem));
                    StateTable.failed(tx, run.table(), problem, now, due);
                    isNews = !state.error().equals(Optional.of(problem));
                }
                runs.put(tx, run);
                return isNews;
            });
            // Once, and not at each retry: the status says that it goes on.
            if (isNew) LOG.warn("table {}: {}", run.table(), failure.getMessage());
        } catch (PerigeeException e) {
            // The replica itself fails, as with a full disk: the result still says what went wrong first.
            failure.addSuppressed(e);
            LOG.warn("table {}: its failure could not be recorded: {}", run.table(), e.getMessage());
        }
        if (failure.fault() == Fault.INTERNAL) LOG.error("table {}: a mistake of Perigee's", run.table(), failure);
        return SyncResult.of(run.table(), run.counts(), run.durationMs(now), Optional.of(problem));
    }

    private static void dropShadow(Transaction tx, String table) {
        StateTable.find(tx, table).flatMap(TableState::shadow).ifPresent(shadow -> {
            CopyTable.drop(tx, shadow);
            StateTable.shadow(tx, table, Optional.empty());
        });
    }

    private static void clearUp(Transaction tx) {
        RunTable.interruptUnfinished(tx);
        for (TableState state : StateTable.all(tx)) dropShadow(tx, state.name());
    }
}
