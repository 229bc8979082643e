package dev.perigee.replication.sync;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.NameList;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.copy.SourceText;
import dev.perigee.replication.copy.Upsert;
import dev.perigee.replication.drift.SourceIdentityCheck;
import dev.perigee.replication.freshness.SourceMoment;
import dev.perigee.replication.state.ColumnBackfill;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.Guarantee;
import dev.perigee.replication.state.LogRecords;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.state.Sealing;
import dev.perigee.replication.state.SetAsideRecords;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.SyncOutcome;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Identity;
import dev.perigee.source.LogTable;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.FreshnessToken;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Pulls the rows of one sync from a snapshot of the source into the copy. Used once, by one thread; pages are applied
/// on the writer thread.
///
/// In mode `cursor` there are three passes: rows that came late, below the greatest cursor value pulled; rows above it,
/// in the order `(cursor, key)`; and rows whose cursor is NULL. [Sealing] explains what the first pass needs. The other
/// modes have one pass, over what changed since the last sync or over everything.
///
/// Rows go into the copy. When everything is fetched again they go into a shadow, which takes the copy's place at the
/// end. For a table of a group they go into a stage, which is merged into the copy together with those of the other
/// tables.
final class SyncRun {
    /// Rows in a page while a table is loaded from the beginning and its page size is the default.
    static final int LOAD_PAGE_ROWS = 10_000;

    /// How often the two searches are done that may make the source read the whole table.
    ///
    /// @param late the search for rows that came late
    /// @param nullKeys the search for rows with a NULL in their key, and for keys that rows share
    record Paces(LatePace late, LatePace nullKeys) {
        Paces() {
            this(new LatePace(), new LatePace());
        }
    }

    private final SyncContext context;
    private final Store store;
    private final InstantSource clock;
    private final TableConfig config;
    private final SyncPlan plan;
    private final SetAsideRows setAside;
    private final Paces paces;
    private final SyncListener listener;
    private final SyncCancellation cancellation;

    // Set when the snapshot is taken, or when everything was pulled.
    private @Nullable PageWriter writer;
    private Optional<Instant> replayedUntil = Optional.empty();
    private @Nullable SyncOutcome followed;
    private Optional<SourceVersion> shown = Optional.empty();
    private Optional<LogRecords.Table> loaded = Optional.empty();
    private @Nullable SyncedTable known;
    private boolean hasLooked;
    private SourceIdentityCheck.Found lineage = SourceIdentityCheck.Found.of(Optional.empty());
    private Optional<ColumnBackfill> backfill = Optional.empty();
    private Optional<RowCounts> compared = Optional.empty();
    private Optional<SourceMoment> moment = Optional.empty();
    private String guarantee = Guarantee.BEHIND;

    // The run as of the page committed last.
    private volatile Run committed;

    SyncRun(SyncContext context, TableSync.Member member, SyncPlan plan, Run run, Paces paces) {
        this.context = context;
        this.store = context.store();
        this.clock = context.clock();
        this.config = plan.config();
        this.plan = plan;
        this.setAside = new SetAsideRows(
                config.name(),
                new SourceText(
                        plan.table(),
                        plan.definition(),
                        config.timestamps() == TableConfig.TimestampStorage.EPOCH_MICROS),
                new Upsert(plan.definition(), plan.into(), plan.stage().isPresent()),
                plan.isAside(),
                plan.stage().isPresent(),
                run.id());
        this.paces = paces;
        this.listener = member.listener();
        this.cancellation = member.cancellation();
        // Rows that came late do not move the cursor, so a run may end where it began.
        this.committed = run.counted(RowCounts.NONE, plan.start().after().flatMap(HighWaterMark::cursor));
    }

    /// Pulls everything that this sync has to pull. If it throws, [#committed()] tells what was committed before.
    ///
    /// @param takenNanos [System#nanoTime] before the snapshot was taken
    void pull(Snapshot snapshot, long takenNanos) {
        replayedUntil = snapshot.asOf();
        Instant takenAt = clock.instant();
        lookAtLineage(snapshot);
        Optional<Identity.Server> server = lineage.now().map(Identity::server);
        moment = Optional.of(SourceMoment.of(snapshot, server, takenNanos, takenAt));
        writer = new PageWriter(context, plan, setAside, committed, snapshot.moment(), lineage);
        setAside.begin(store, clock.instant());
        if (plan.isLoading()) committed(committed); // reports the progress before the first page
        plan.rescope().ifPresent(rescope -> pass(snapshot, new Scope.Rescoped(rescope.before())));
        switch (config.mode()) {
            case CURSOR -> byCursor(snapshot, config.cursorColumn().orElseThrow());
            case XMIN ->
                everything(
                        snapshot,
                        plan.start().isLoaded() && !lineage.isSeenOtherwise() ? lookedSince() : Optional.empty());
            case FULL, LOG -> everything(snapshot, Optional.empty());
        }
        fillAddedColumns(snapshot);
        keysThatTellNoRowsApart(snapshot);
        setAside.due().forEach(portion -> {
            pass(snapshot, new Scope.Keys(portion.stream().map(NameList::ofJson).toList()));
            setAside.retried(store, portion);
        });
        plan.missingIndexes().forEach(index -> {
            cancellation.check();
            store.write(tx -> {
                index.create(tx, plan.into());
                return true;
            });
        });
        shown = snapshot.version();
        if (config.mode() == TableConfig.Mode.LOG) loaded = Optional.of(loaded(snapshot));
        if (committed.kind() == Run.Kind.RESYNC) compared = ResyncCounts.compare(store, config.name(), plan);
        else if (plan.shadow().isPresent() && plan.table().access().isFiltered()) refuseMassDelete();
    }

    String name() {
        return config.name();
    }

    /// The copy's name.
    String target() {
        return plan.definition().target();
    }

    /// What the copy wants of the table's changes.
    LogTable wanted() {
        return plan.definition().wanted(0, config);
    }

    TableId sourceTable() {
        return plan.table().id();
    }

    /// A time that the copy is not older than: when the run began, or on a standby the time up to which it had
    /// replayed. Empty where a standby does not tell.
    Optional<Instant> freshAt() {
        Instant began = committed.startedAt();
        boolean isStandby = lineage.now().map(now -> now.server().isStandby()).orElse(false);
        return isStandby ? replayedUntil.map(until -> until.isBefore(began) ? until : began) : Optional.of(began);
    }

    /// The run with all pages committed so far.
    Run committed() {
        return committed;
    }

    /// Rows that policies hide are not known to be gone. So replacing the copy of a filtered table needs a
    /// confirmation, as a sweep does; a resync is one. Where rows cannot be matched by a key, their numbers are
    /// compared.
    private void refuseMassDelete() {
        MassDeleteGuard mass = new MassDeleteGuard(config, plan.start().rows(), 0);
        long gone = ResyncCounts.compare(store, config.name(), plan)
                .map(RowCounts::deleted)
                .orElseGet(() -> plan.start().rows() - committed.work().counts().growth());
        if (mass.isAgainst(gone)) throw mass.hidden(gone);
    }

    /// Swaps in the shadow or merges the stage, and records the outcome. Called in the transaction that ends a run
    /// which pulled everything.
    ///
    /// @return the run as it is then
    Run finish(Transaction tx) {
        Run run = writer().end(tx, committed, compared);
        SyncOutcome outcome = Objects.requireNonNull(followed, "the run ends before everything was pulled");
        StateRecords.followed(tx, config.name(), outcome);
        loaded.ifPresent(table -> LogRecords.loaded(tx, table));
        lineage.now().ifPresent(now -> DriftRecords.identity(tx, config.name(), now));
        if (plan.shadow().isEmpty()) DriftRecords.backfill(tx, config.name(), backfill.filter(b -> !b.isDone()));
        known = SyncedTable.of(
                plan,
                shown,
                outcome,
                writer().mark().or(() -> plan.start().after()),
                lineage.now(),
                !mayHaveNullKeys() && !mayShareKeys(),
                !hasMore() && SetAsideRecords.count(tx, config.name(), false) == 0);
        guarantee = StateRecords.find(tx, config.name())
                .map(TableState::gaps)
                .flatMap(Guarantee::lackedBy)
                .or(outcome::guarantee)
                .orElse(Guarantee.BEHIND);
        return run.noted(notes());
    }

    /// Tells readers what the copy has now. To be called when the transaction of [#finish] was committed. A sync that
    /// did not look for everything, or left columns unfilled, proves nothing.
    void recordFreshness() {
        if (!hasLooked || hasMore()) return;
        moment.ifPresent(taken -> context.freshness().record(config.name(), taken, guarantee));
    }

    /// What is known about the table once the run has finished.
    SyncedTable known() {
        return Objects.requireNonNull(known, "the run has not finished");
    }

    /// From where on the log's changes are to be applied to the copy.
    private LogRecords.Table loaded(Snapshot snapshot) {
        Optional<Long> number = lineage.now()
                .or(() -> snapshot.identity(plan.table()))
                .map(now -> now.table().number());
        if (number.isEmpty()
                || snapshot.visible().isEmpty()
                || snapshot.position().isEmpty()) {
            throw Fault.SOURCE_UNSUPPORTED.in(
                    "table " + config.name(),
                    "the source does not tell the table's number, which transactions a snapshot sees, or where its log stands, which mode `log` needs",
                    "The copy stays as it is");
        }
        long position = FreshnessToken.position(snapshot.position().get());
        return new LogRecords.Table(config.name(), number.get(), snapshot.visible(), position);
    }

    private Optional<String> notes() {
        List<String> notes = new ArrayList<>(lineage.notes());
        plan.why().ifPresent(notes::addFirst);
        return notes.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", notes));
    }

    /// Checks the source's identity before anything is applied. A sync that fetches everything from the beginning does
    /// not build on what the copy has.
    private void lookAtLineage(Snapshot snapshot) {
        SourceIdentityCheck look = new SourceIdentityCheck(
                store, config, plan.table(), plan.start().after(), plan.start().rows());
        if (!plan.isFromTheBeginning()) lineage = look.look(snapshot, false);
        else if (config.mode() == TableConfig.Mode.FULL && committed.kind() == Run.Kind.SYNC)
            lineage = look.lookAtServer(snapshot);
        else lineage = SourceIdentityCheck.Found.of(snapshot.identity(plan.table()));
    }

    /// The mark since which late rows are looked for. Empty for a new history, because earlier marks say nothing about
    /// what changed in it.
    private Optional<String> lookedSince() {
        return lineage.isNewHistory()
                ? Optional.empty()
                : plan.start().sealing().lookedSince();
    }

    private void attachedParts(Snapshot snapshot) {
        if (!lineage.newParts().isEmpty()) pass(snapshot, new Scope.Parts(lineage.newParts()));
    }

    private void fillAddedColumns(Snapshot snapshot) {
        if (plan.shadow().isPresent()) return;
        backfill = store.read(ReplicationTables.READ_LIMIT, tx -> DriftRecords.find(tx, config.name()))
                .backfill();
        for (int fetched = 0; backfill.isPresent() && fetched < ColumnBackfill.ROWS_PER_SYNC; ) {
            ColumnBackfill open = backfill.get();
            Optional<ColumnBackfill.Chunk> chunk =
                    store.read(ReplicationTables.READ_LIMIT, tx -> open.next(tx, plan.definition(), plan.table()));
            if (chunk.isEmpty()) {
                backfill = Optional.of(open.ended());
                return;
            }
            pass(snapshot, new Scope.Keys(chunk.get().keys()));
            fetched += chunk.get().keys().size();
            backfill = Optional.of(open.after(chunk.get()));
        }
    }

    /// Whether another sync should follow at once, to continue filling added columns.
    boolean hasMore() {
        return backfill.filter(b -> !b.isDone()).isPresent();
    }

    private PageWriter writer() {
        return Objects.requireNonNull(writer, "a page came before the snapshot was known");
    }

    private void byCursor(Snapshot snapshot, String cursor) {
        // Rows that became visible may have any cursor value. This pass does not move the cursor.
        if (lineage.isSeenOtherwise()) pass(snapshot, new Scope.Changed(Optional.empty()));
        Optional<HighWaterMark> before = plan.start().after();
        Sealing sealing = plan.start().sealing();
        boolean mayBeLate = before.isPresent() && sealing.isOpen(before.get());
        // Tables of a group are looked through each time: one that rests would tear the joins of the others with it.
        // Readers who wait need to know that nothing came late.
        boolean isUrgent = plan.stage().isPresent() || context.freshness().isAwaited(config.name());
        boolean isLooking = mayBeLate && (isUrgent || paces.late().isDue());
        if (isLooking) {
            long started = System.nanoTime();
            pass(snapshot, new Scope.Late(cursor, sealing.sealed(), before.get(), lookedSince()));
            paces.late().looked(started);
        }
        pass(snapshot, new Scope.After(cursor, before));
        boolean mayBeNull =
                !plan.table().column(cursor).map(SourceColumn::isNotNull).orElse(false);
        if (mayBeNull) {
            Optional<String> since = plan.start().isLoaded() ? lookedSince() : Optional.empty();
            pass(snapshot, new Scope.NullCursor(cursor, since));
        }
        attachedParts(snapshot);
        passRowsOutside(snapshot, cursor);
        Optional<HighWaterMark> seen = writer().mark().or(() -> before);
        hasLooked = isLooking || !mayBeLate;
        followed = new SnapshotOutcome(plan, snapshot).ofCursor(cursor, seen, hasLooked);
    }

    private boolean mayHaveNullKeys() {
        return plan.definition().key().stream()
                .anyMatch(key ->
                        !plan.table().column(key).map(SourceColumn::isNotNull).orElse(false));
    }

    private boolean mayShareKeys() {
        return config.mode() != TableConfig.Mode.FULL && SharedKeys.mayBe(plan.definition(), plan.table());
    }

    /// Moves the cursor over the rows that were not asked for, because they are outside the slice. So the next sync
    /// need not look at them.
    private void passRowsOutside(Snapshot snapshot, String cursor) {
        if (plan.table().access().slice().isEmpty() || plan.mayRowsLeave()) return;
        snapshot.greatest(plan.table(), cursor, plan.definition().key()).ifPresent(writer()::passed);
    }

    /// Finds rows that have a NULL in their key, and rows that share their key with another: they can only be set
    /// aside. The source may have to read the whole table for it, so it is paced.
    private void keysThatTellNoRowsApart(Snapshot snapshot) {
        boolean mayBe = mayHaveNullKeys();
        boolean mayBeShared = mayShareKeys();
        if ((!mayBe && !mayBeShared) || !paces.nullKeys().isDue()) return;
        long started = System.nanoTime();
        if (mayBeShared) {
            List<List<Value>> shared = SharedKeys.in(snapshot, plan.table(), plan.definition(), config);
            setAside.shared(store, shared, clock.instant());
        }
        if (mayBe) pass(snapshot, new Scope.NullKey());
        setAside.nullKeysRead(store);
        paces.nullKeys().looked(started);
    }

    private void everything(Snapshot snapshot, Optional<String> since) {
        pass(snapshot, new Scope.Changed(since));
        attachedParts(snapshot);
        hasLooked = true;
        followed = new SnapshotOutcome(plan, snapshot).ofEverything();
    }

    private void pass(Snapshot snapshot, Scope scope) {
        boolean isDefault = config.pageRows() == TableConfig.DEFAULT_PAGE_ROWS;
        int pageRows = isDefault && plan.isFromTheBeginning() ? LOAD_PAGE_ROWS : config.pageRows();
        int columns = plan.definition().columns().size();
        try (PagePipeline pipeline = new PagePipeline(
                store,
                new PagePipeline.BatchSize(columns, pageRows, context.maxRowBytes()),
                plan.start().pages() + committed.work().pages(),
                (tx, page, refused, end, after) -> writer().apply(tx, page, refused, end, scope, after),
                this::committed,
                cancellation)) {
            Pull pull = new Pull(
                    plan.table(),
                    plan.definition().columnNames(),
                    plan.definition().key(),
                    scope,
                    pageRows,
                    config.numeric(),
                    config.timestamps());
            try {
                snapshot.pull(plan.mayRowsLeave() ? pull.sendingLeaving() : pull, pipeline);
            } catch (RuntimeException e) {
                pipeline.check(); // the writer's failure is the cause, the reader's only a consequence
                throw e;
            }
            pipeline.drain();
        }
    }

    private void committed(Run run) {
        committed = run;
        Optional<Long> estimated = plan.isLoading() && plan.table().estimate().rows() >= 0
                ? Optional.of(plan.table().estimate().rows())
                : Optional.empty();
        listener.progress(
                config.name(),
                Progress.of(
                        run.work().counts().pulled(), plan.rowsBefore(), estimated, run.durationMs(clock.instant())));
    }
}
