package dev.perigee.replication.sync;

import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.copy.LeavingRows;
import dev.perigee.replication.freshness.CopyFreshness;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.state.RunRecords;
import dev.perigee.replication.state.SetAsideRecords;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.SqliteLimit;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Syncs tables: brings what is new at the source into their copies, for the server and for the command line.
///
/// A page's rows, the cursor that covers them and the record of the run are one SQLite transaction. So at any moment,
/// even after a crash, a copy is exactly what the source sent up to its cursor `(cursor, key)`.
///
/// Safe for many threads. Callers must not run two syncs of one table at once.
public final class TableSync {
    private static final Logger LOG = LoggerFactory.getLogger(TableSync.class);

    private final Store store;
    private final Supplier<Source> source;
    private final InstantSource clock;
    private final RunRecords runs;
    private final SyncContext context;
    private final BiConsumer<String, String> copyStands;
    private final SourceTrouble trouble;
    private final Map<String, SyncRun.Paces> paces = new ConcurrentHashMap<>();

    /// Migrates the replica's replication tables and cleans up after a crash: unfinished runs become interrupted, and
    /// shadows and stages are dropped.
    ///
    /// @param source called at each sync; may throw [Fault#SOURCE_NOT_CONFIGURED]
    /// @param keepRuns number of run records kept for each table
    /// @param copyStands is given a table's configured name and the name of its copy: before rows go into the copy, and
    ///     after each sync that succeeded
    /// @param trouble is told of the success or failure of each sync
    public TableSync(
            Store store,
            Supplier<Source> source,
            InstantSource clock,
            int keepRuns,
            BiConsumer<String, String> copyStands,
            SourceTrouble trouble) {
        store.migrate(ReplicationTables.ROOM, ReplicationTables.VERSIONS);
        long maxRowBytes = store.write(tx -> {
            clearUp(tx);
            return tx.connection().limit(SqliteLimit.LENGTH);
        });
        this.store = store;
        this.source = source;
        this.clock = clock;
        this.copyStands = copyStands;
        this.trouble = trouble;
        this.runs = new RunRecords(store, keepRuns);
        this.context = new SyncContext(store, clock, runs, maxRowBytes, new CopyFreshness());
    }

    /// For syncs without a server. No server may use the replica at the same time.
    public TableSync(Store store, Source source) {
        this(
                store,
                () -> source,
                InstantSource.system(),
                ReplicationConfig.defaults().keepRuns(),
                (_, _) -> {},
                new SourceTrouble(InstantSource.system(), _ -> {}));
    }

    /// The records of runs, to be shared with runs of other kinds.
    public RunRecords runs() {
        return runs;
    }

    /// How fresh each copy is, by the name its table is configured by.
    public CopyFreshness freshness() {
        return context.freshness();
    }

    /// One table of a sync.
    ///
    /// @param described the table as the source describes it, where that is known to be still so; else it is asked
    /// @param next decides when the table is due again
    /// @param log is asked to hold the source's log while the rows of a table in mode `log` are read
    public record Member(
            TableConfig config,
            Run.Kind kind,
            Optional<SourceTable> described,
            SyncListener listener,
            SyncCancellation cancellation,
            NextDue next,
            LogStart log) {
        /// A member outside any schedule.
        static Member once(TableConfig config, Run.Kind kind, SyncListener listener) {
            SyncCancellation cancellation = new SyncCancellation();
            return new Member(
                    config, kind, Optional.empty(), listener, cancellation, NextDue.NEVER, LogStart.WITHOUT_SERVER);
        }
    }

    /// Pulls what is new since the table's cursor, or everything if it has none. Creates the copy if it is missing, and
    /// syncs again until added columns are filled. A failure is in the result and in `tmp_replication_state`; it is
    /// never thrown.
    public SyncResult run(TableConfig config, SyncListener listener) {
        SyncResult result = run(Member.once(config, Run.Kind.SYNC, listener));
        while (result.succeeded() && hasMore(config.name())) {
            result = result.plus(run(Member.once(config, Run.Kind.SYNC, listener)));
        }
        return result;
    }

    /// As [#run(TableConfig, SyncListener)], but fetches everything from the beginning. The copy is replaced when all
    /// rows are there.
    public SyncResult runAgain(TableConfig config, SyncListener listener) {
        return run(Member.once(config, Run.Kind.RESYNC, listener));
    }

    /// Whether another sync should follow at once, to continue filling added columns.
    public boolean hasMore(String name) {
        return store.read(ReplicationTables.READ_LIMIT, tx -> DriftRecords.find(tx, name))
                .backfill()
                .isPresent();
    }

    public SyncResult run(Member member) {
        return run(List.of(member), false).getFirst();
    }

    /// Syncs tables in one snapshot of the source. Their copies change in one transaction, or not at all.
    ///
    /// @return in the members' order
    public List<SyncResult> runGroup(List<Member> members) {
        return run(members, true);
    }

    private List<SyncResult> run(List<Member> members, boolean isGroup) {
        List<Run> begun = members.stream()
                .map(m -> Run.begin(runs.nextId(), m.config().name(), m.kind(), clock.instant()))
                .toList();
        List<SyncRun> syncing = new ArrayList<>();
        try {
            Source from = source.get();
            for (int i = 0; i < members.size(); i++) {
                Member member = members.get(i);
                member.cancellation().check();
                syncing.add(prepared(member, from, begun.get(i), isGroup));
            }
            List<TableId> tables =
                    syncing.stream().map(SyncRun::sourceTable).distinct().toList();
            String where = "table " + members.getFirst().config().name();
            try (LogStart.Held _ = logHeld(members.getFirst(), syncing.getFirst())) {
                long takenNanos = System.nanoTime();
                from.snapshot(where, tables, snapshot -> {
                    syncing.forEach(one -> one.pull(snapshot, takenNanos));
                    return true;
                });
                return succeeded(members, syncing);
            }
        } catch (RuntimeException e) {
            PerigeeException failure = ThreadFailures.unwrapped(e);
            List<SyncResult> results = new ArrayList<>();
            for (int i = 0; i < members.size(); i++) {
                Run committed = i < syncing.size() ? syncing.get(i).committed() : begun.get(i);
                results.add(failed(committed, failure, members.get(i)));
            }
            return results;
        }
    }

    /// Tables of the log are in no group, so each is synced alone.
    private static LogStart.Held logHeld(Member member, SyncRun syncing) {
        if (member.config().mode() != TableConfig.Mode.LOG) return () -> {};
        return member.log().begin(syncing.wanted(), member.cancellation());
    }

    /// A sentence about the rows of the table that are set aside: how many there are, and why the first was set aside.
    ///
    /// @return empty where there are none
    public Optional<String> setAside(String table) {
        return store.read(
                ReplicationTables.READ_LIMIT,
                tx -> SetAsideRecords.list(tx, table, 1).stream()
                        .findFirst()
                        .map(first ->
                                "table %s: %,d of its rows are not in the copy but set aside in tmp_replication_set_aside: %s"
                                        .formatted(table, SetAsideRecords.count(tx, table, false), first.message())));
    }

    /// The size in bytes of the largest row that the replica can store.
    public long maxRowBytes() {
        return context.maxRowBytes();
    }

    private SyncRun prepared(Member member, Source from, Run begun, boolean isGroup) {
        TableConfig config = member.config();
        SyncPlan plan = SyncPreparation.prepare(store, from, member, isGroup);
        if (!plan.isAside()) copyStands.accept(config.name(), plan.definition().target());
        SyncRun.Paces own = paces.computeIfAbsent(config.name(), _ -> new SyncRun.Paces());
        return new SyncRun(context, member, plan, begun, own);
    }

    private List<SyncResult> succeeded(List<Member> members, List<SyncRun> syncing) {
        Instant now = clock.instant();
        List<Run> ended = store.write(tx -> {
            List<Run> done = new ArrayList<>();
            for (int i = 0; i < members.size(); i++) {
                Run run = syncing.get(i).finish(tx).finished(Run.Outcome.OK, now, Optional.empty());
                Optional<Instant> regular = members.get(i).next().after(run.startedAt(), now, 0, Optional.empty());
                Optional<Instant> due = syncing.get(i).hasMore() ? Optional.of(now) : regular;
                StateRecords.succeeded(tx, run.table(), syncing.get(i).freshAt(), now, due);
                runs.put(tx, run);
                done.add(run);
            }
            return done;
        });
        for (int i = 0; i < members.size(); i++) {
            SyncRun one = syncing.get(i);
            copyStands.accept(one.name(), one.target());
            members.get(i).listener().synced(one.name(), one.known());
        }
        syncing.forEach(SyncRun::recordFreshness);
        ended.forEach(run -> trouble.succeeded(run.table()));
        return ended.stream()
                .map(run -> SyncResult.of(run.table(), run.work().counts(), run.durationMs(now), Optional.empty()))
                .toList();
    }

    /// Records a sync that failed or was cancelled. A cancelled sync is not a failure of its table: its error, its due
    /// time and its count of failures stay.
    private SyncResult failed(Run committed, PerigeeException failure, Member member) {
        Instant now = clock.instant();
        SyncCancellation cancellation = member.cancellation();
        Problem problem = Problem.of(cancellation.reason().orElse(failure));
        Run.Outcome outcome = cancellation.isCancelled() ? Run.Outcome.STOPPED : Run.Outcome.FAILED;
        Run run = committed.finished(outcome, now, Optional.of(problem));
        try {
            boolean isNew = store.write(tx -> {
                boolean isNews = false;
                dropShadow(tx, run.table());
                if (outcome == Run.Outcome.FAILED) {
                    StateRecords.ensure(tx, run.table());
                    TableState state = StateRecords.find(tx, run.table()).orElseThrow();
                    int failures = state.syncs().failures() + 1;
                    Optional<Instant> due = member.next().after(run.startedAt(), now, failures, Optional.of(problem));
                    StateRecords.failed(tx, run.table(), problem, now, due);
                    isNews = !state.syncs().error().equals(Optional.of(problem));
                }
                runs.put(tx, run);
                return isNews;
            });
            boolean isOfSource = outcome == Run.Outcome.FAILED && trouble.failed(run.table(), problem, isNew);
            // Logged once and not at each retry; the status shows that the failure continues.
            if (isNew && !isOfSource) LOG.warn("table {}: {}", run.table(), failure.getMessage());
        } catch (PerigeeException e) {
            // The replica itself fails, for example because the disk is full. The result still says what went wrong
            // first.
            failure.addSuppressed(e);
            LOG.warn("table {}: its failure could not be recorded: {}", run.table(), e.getMessage());
        }
        if (failure.fault() == Fault.INTERNAL) LOG.error("table {}: a bug in Perigee", run.table(), failure);
        return SyncResult.of(run.table(), run.work().counts(), run.durationMs(now), Optional.of(problem));
    }

    private static void dropShadow(Transaction tx, String table) {
        SetAsideRecords.dropPending(tx, table);
        StateRecords.find(tx, table)
                .map(TableState::copy)
                .flatMap(TableState.Copy::shadow)
                .ifPresent(shadow -> {
                    CopyTable.drop(tx, shadow);
                    StateRecords.shadow(tx, table, Optional.empty());
                });
        StateRecords.find(tx, table).flatMap(TableState::target).ifPresent(target -> {
            CopyTable.drop(tx, SyncPlan.stageOf(target));
            LeavingRows.drop(tx, SyncPlan.stageOf(target));
        });
    }

    private static void clearUp(Transaction tx) {
        RunRecords.interruptUnfinished(tx);
        for (TableState state : StateRecords.all(tx)) dropShadow(tx, state.name());
    }
}
