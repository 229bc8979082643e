package dev.perigee.replication.backfill;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Remedies;
import dev.perigee.plugin.PluginHost;
import dev.perigee.replication.backfill.Backfill.Phase;
import dev.perigee.replication.backfill.BackfillRecords.Missing;
import dev.perigee.replication.check.SameTableSource;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.NameList;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.copy.SourceText;
import dev.perigee.replication.copy.Upsert;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.state.RunRecords;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.MassDeleteGuard;
import dev.perigee.replication.sync.PagePipeline;
import dev.perigee.replication.sync.SetAsideRows;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.replication.sync.TableSync;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Pull;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// One step of a backfill, in a snapshot of its own, run as a task of the table's runner. No sync runs during a step,
/// so no row is overwritten with an older version. Syncs run between two steps.
///
/// Rows and the state of the backfill are written in the same transaction. If a step fails midway, the next one
/// continues after the last page written.
final class BackfillStep {
    /// Rows fetched in one snapshot.
    static final int CHUNK_ROWS = 5_000;

    /// Rows of the copy looked at in one step, when searching for rows that the source does not have.
    static final int LOOK_ROWS = 10 * Scope.Keys.MAX_KEYS;

    private final Store store;
    private final InstantSource clock;
    private final RunRecords runs;
    private final long maxRowBytes;
    private final TableConfig config;
    private final BackfillTarget target;
    private final CopyDefinition definition;
    private final SourceText text;
    private final SyncCancellation cancellation;
    private final Consumer<Backfill> told;

    private BackfillStep(
            PluginHost host,
            TableSync sync,
            BackfillTarget target,
            SyncCancellation cancellation,
            Consumer<Backfill> told) {
        this.store = host.store();
        this.clock = host.clock();
        this.runs = sync.runs();
        this.maxRowBytes = sync.maxRowBytes();
        this.config = target.config();
        this.target = target;
        this.definition = target.definition();
        boolean isEpoch = config.timestamps() == TableConfig.TimestampStorage.EPOCH_MICROS;
        this.text = new SourceText(target.table(), definition, isEpoch);
        this.cancellation = cancellation;
        this.told = told;
    }

    /// Does the next step of a table's backfill, on the calling thread. The caller is inside
    /// [dev.perigee.replication.run.TableRunner#exclusively].
    ///
    /// @param run the number of the backfill, so that no step is done for another backfill of the same table
    /// @param told is told the state after each page; must not block
    /// @return the state after the step; empty if nothing is left to do, or if the backfill was cancelled
    static Optional<Backfill> next(
            long run,
            PluginHost host,
            Tables tables,
            TableConfig config,
            SyncCancellation cancellation,
            Consumer<Backfill> told) {
        Store store = host.store();
        Source source = tables.source();
        Backfill backfill = store.read(ReplicationTables.READ_LIMIT, tx -> BackfillRecords.find(tx, config.name()))
                .filter(found -> found.run() == run)
                .orElse(null);
        if (backfill == null) return Optional.empty();
        TableState state = BackfillTarget.state(store, config);
        if (state.copy().generation() != backfill.job().generation())
            return Optional.empty(); // all rows were fetched again meanwhile
        BackfillTarget target = BackfillTarget.of(store, source, config);
        BackfillStep step = new BackfillStep(host, tables.turns().sync(), target, cancellation, told);
        Source remembered = SameTableSource.remembered(store, source, config, target.table());
        return remembered.snapshot(
                "table " + config.name(), List.of(target.table().id()), snapshot -> switch (backfill.phase()) {
                    case FETCHING -> Optional.of(step.fetch(snapshot, backfill));
                    case LOOKING -> Optional.of(step.look(snapshot, backfill));
                    case DELETING -> step.delete(snapshot, backfill);
                });
    }

    private Backfill fetch(Snapshot snapshot, Backfill backfill) {
        BackfillScope scope = backfill.job().scope();
        boolean isFirst = backfill.progress().afterKey().isEmpty();
        Scope wanted = scope.key().isPresent()
                ? new Scope.Keys(List.of(scope.key().get()))
                : new Scope.KeyChunk(
                        isFirst ? scope.from() : backfill.progress().afterKey(), isFirst, scope.to(), CHUNK_ROWS);
        Fetch fetch = new Fetch(backfill, wanted);
        long sent = fetch.run(snapshot);
        boolean isLast = scope.key().isPresent() || sent < CHUNK_ROWS;
        if (!isLast) return fetch.done;
        Optional<Long> rows = scope.key().isPresent()
                ? Optional.of(1L)
                : Optional.of(target.state().copy().rows());
        return saved(fetch.done.in(Phase.LOOKING, rows));
    }

    /// Fetches and writes the pages of one chunk.
    private final class Fetch {
        private final Scope wanted;
        private final SetAsideRows setAside;
        // Used by the writer thread only, while pages are under way.
        private Backfill done;
        private Run run;

        Fetch(Backfill backfill, Scope wanted) {
            this.done = backfill;
            this.wanted = wanted;
            this.run = backfill.asRun();
            this.setAside = new SetAsideRows(
                    config.name(), text, new Upsert(definition, definition.target()), false, false, backfill.run());
        }

        long run(Snapshot snapshot) {
            setAside.begin(store, clock.instant());
            Pull pull = new Pull(
                    target.table(),
                    definition.columnNames(),
                    definition.key(),
                    wanted,
                    config.pageRows(),
                    config.numeric(),
                    config.timestamps());
            try (PagePipeline pipeline = new PagePipeline(
                    store,
                    new PagePipeline.BatchSize(definition.columns().size(), config.pageRows(), maxRowBytes),
                    target.state().pulled().pages(),
                    this::apply,
                    _ -> told.accept(done),
                    cancellation)) {
                long sent;
                try {
                    sent = snapshot.pull(pull, pipeline);
                } catch (RuntimeException e) {
                    pipeline.check(); // a failure of the writer is the cause, the reader's only follows from it
                    throw e;
                }
                pipeline.drain();
                return sent;
            }
        }

        private Run apply(Transaction tx, Batch page, List<RefusedRow> refused, HighWaterMark end, long after) {
            RowCounts counts = setAside.apply(tx, page, refused, false, clock.instant());
            StateRecords.advance(tx, config.name(), after, Optional.empty(), counts, 0);
            done = done.fetched(Optional.of(end.key()), page.rowCount() + refused.size(), counts);
            BackfillRecords.save(tx, done);
            run = run.after(counts, Optional.empty());
            runs.put(tx, run);
            return run;
        }
    }

    private Backfill look(Snapshot snapshot, Backfill backfill) {
        BackfillKeys keys = new BackfillKeys(definition, text);
        Optional<List<String>> key = backfill.job().scope().key();
        BackfillKeys.Looked looked = store.read(
                ReplicationTables.READ_LIMIT,
                tx -> key.isPresent()
                        ? keys.withKey(tx, key.get())
                        : keys.next(
                                tx, backfill.job().scope(), backfill.progress().afterRowid(), LOOK_ROWS));
        List<Missing> missing = absent(snapshot, backfill.job().scope(), looked.keys());
        boolean isLast = key.isPresent() || looked.looked() < LOOK_ROWS;
        Backfill after = store.write(tx -> {
            BackfillRecords.addMissing(tx, config.name(), missing);
            Backfill next = backfill.lookedAt(looked.last(), looked.looked());
            if (isLast) next = next.in(Phase.DELETING, Optional.of(BackfillRecords.countMissing(tx, config.name())));
            BackfillRecords.save(tx, next);
            return next;
        });
        told.accept(after);
        return after;
    }

    private Optional<Backfill> delete(Snapshot snapshot, Backfill backfill) {
        BackfillKeys keys = new BackfillKeys(definition, text);
        if (!backfill.isConfirmed() && backfill.progress().rows() == 0) refuseTooMany(backfill);
        List<Missing> next = store.read(
                ReplicationTables.READ_LIMIT, tx -> BackfillRecords.missing(tx, config.name(), Scope.Keys.MAX_KEYS));
        if (next.isEmpty()) return Optional.empty();
        Set<Missing> stillMissing =
                new HashSet<>(absent(snapshot, backfill.job().scope(), next));
        cancellation.check();
        Backfill after = store.write(tx -> {
            long deleted = 0;
            for (Missing one : next) {
                boolean isSame = keys.at(tx, one.rowid()).equals(Optional.of(one.key()));
                if (!isSame || !stillMissing.contains(one)) continue;
                keys.delete(tx, one.rowid());
                deleted++;
            }
            BackfillRecords.forget(tx, config.name(), next);
            RowCounts counts = new RowCounts(0, 0, deleted, 0);
            StateRecords.advance(tx, config.name(), target.state().pulled().pages(), Optional.empty(), counts, 0);
            Backfill done = backfill.deleted(next.size(), deleted);
            BackfillRecords.save(tx, done);
            runs.put(tx, done.asRun());
            return done;
        });
        told.accept(after);
        return Optional.of(after);
    }

    private void refuseTooMany(Backfill backfill) {
        long missing = backfill.progress().expected().orElse(0L);
        MassDeleteGuard mass = new MassDeleteGuard(config, target.state().copy().rows(), 0);
        if (mass.isAgainst(missing))
            throw mass.fault(
                    missing,
                    "The rows were fetched and nothing was deleted",
                    "`perigee tables backfill %s --confirm`, or end it with --cancel"
                            .formatted(Remedies.word(config.name())));
    }

    private List<Missing> absent(Snapshot snapshot, BackfillScope scope, List<Missing> rows) {
        List<Missing> absent = new ArrayList<>();
        for (int from = 0; from < rows.size(); from += Scope.Keys.MAX_KEYS) {
            cancellation.check();
            List<Missing> portion = rows.subList(from, Math.min(rows.size(), from + Scope.Keys.MAX_KEYS));
            List<List<String>> keys =
                    portion.stream().map(row -> NameList.ofJson(row.key())).toList();
            snapshot.absent(target.table(), definition.key(), definition.spelledKey(), keys, scope.from(), scope.to())
                    .forEach(index -> absent.add(portion.get(index)));
        }
        return absent;
    }

    private Backfill saved(Backfill backfill) {
        store.write(tx -> {
            BackfillRecords.save(tx, backfill);
            return true;
        });
        return backfill;
    }
}
