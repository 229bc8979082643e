package dev.perigee.replication;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Pull;
import dev.perigee.source.Pull.Pass;
import dev.perigee.source.Source;
import dev.perigee.source.SourceColumn;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store;
import dev.perigee.store.Store.Transaction;
import java.time.InstantSource;
import java.util.Optional;

/// The rows of one sync, from the source into the copy. Used once, by one thread.
///
/// Two passes: rows greater than the cursor in the order `(cursor, key)`, then all rows whose cursor is NULL in the
/// order of the key, because nothing tells which of those changed. Either goes into the copy, or, when everything is
/// fetched again, into a shadow that takes the copy's place in the end.
final class SyncRun {
    /// Rows in a page while a table is loaded from the beginning and its page size is the default.
    static final int LOAD_PAGE_ROWS = 10_000;

    private final Store store;
    private final Source source;
    private final InstantSource clock;
    private final RunTable runs;
    private final TableConfig config;
    private final SyncPlan plan;
    private final Upsert upsert;
    private final SyncListener listener;
    private final Cancellation cancellation;

    // As of the page applied last: belongs to the writer while pages are under way.
    private Run applied;
    private Optional<HighWaterMark> mark = Optional.empty();
    private long textNumbers;

    // As of the page committed last.
    private volatile Run committed;

    SyncRun(
            Store store,
            Source source,
            InstantSource clock,
            RunTable runs,
            TableConfig config,
            SyncPlan plan,
            Run run,
            SyncListener listener,
            Cancellation cancellation) {
        this.store = store;
        this.source = source;
        this.clock = clock;
        this.runs = runs;
        this.config = config;
        this.plan = plan;
        this.upsert = new Upsert(plan.definition(), plan.into());
        this.listener = listener;
        this.cancellation = cancellation;
        this.applied = run;
        this.committed = run;
    }

    /// Pulls all there is to pull. Whatever it throws, [#committed()] says what stands.
    void pull() {
        pass(Pass.WITH_CURSOR);
        boolean mayBeNull = !plan.table()
                .column(config.cursorColumn().orElseThrow())
                .map(SourceColumn::isNotNull)
                .orElse(false);
        if (mayBeNull) pass(Pass.NULL_CURSOR);
        plan.missingIndexes().forEach(index -> {
            cancellation.check();
            store.write(tx -> {
                index.create(tx, plan.into());
                return true;
            });
        });
    }

    /// The run with all its committed pages.
    Run committed() {
        return committed;
    }

    /// What belongs into the transaction that ends a run which pulled everything.
    void finish(Transaction tx) {
        plan.shadow().ifPresent(shadow -> {
            String old = StateTable.find(tx, config.name())
                    .flatMap(TableState::target)
                    .orElse(plan.definition().target());
            CopyTable.swap(tx, shadow, old, plan.definition().target());
            StateTable.swapped(
                    tx,
                    config.name(),
                    plan.definition(),
                    mark,
                    committed.counts().growth(),
                    textNumbers);
        });
    }

    private void pass(Pass pass) {
        boolean isDefault = config.pageRows() == TableConfig.DEFAULT_PAGE_ROWS;
        int pageRows = isDefault && plan.isFromTheBeginning() ? LOAD_PAGE_ROWS : config.pageRows();
        int columns = plan.definition().columns().size();
        try (PagePipeline pipeline = new PagePipeline(
                store,
                columns,
                pageRows,
                plan.pages() + committed.pages(),
                (tx, page, end, after) -> apply(tx, page, end, pass, after),
                this::committed,
                cancellation)) {
            Pull pull = new Pull(
                    plan.table(),
                    plan.definition().columnNames(),
                    config.cursorColumn().orElseThrow(),
                    plan.definition().key(),
                    pass == Pass.WITH_CURSOR ? plan.after() : Optional.empty(),
                    pass,
                    pageRows,
                    config.numeric(),
                    config.timestamps());
            try {
                source.pull(pull, pipeline);
            } catch (RuntimeException e) {
                pipeline.check(); // the writer's failure is the cause, the reader's only its echo
                throw e;
            }
            pipeline.drain();
        }
    }

    private Run apply(Transaction tx, Batch page, HighWaterMark end, Pass pass, long pages) {
        boolean movesCursor = pass == Pass.WITH_CURSOR;
        Counts counts = plan.isEmpty() && movesCursor ? upsert.load(tx, page) : upsert.apply(tx, page);
        // Rows without a cursor are sent at each sync: counted at the first.
        long inPage = movesCursor || plan.isEmpty() ? textNumbers(page) : 0;
        textNumbers += inPage;
        Optional<HighWaterMark> moved = movesCursor ? Optional.of(end) : Optional.empty();
        if (plan.shadow().isPresent()) StateTable.advanceShadow(tx, config.name(), pages, counts);
        else StateTable.advance(tx, config.name(), pages, moved, counts, inPage);
        applied = applied.after(counts, moved.flatMap(HighWaterMark::cursor));
        if (movesCursor) mark = moved;
        runs.put(tx, applied);
        return applied;
    }

    /// Numbers of the page that are kept as text: in columns without a declared type, which only exact numerics have.
    private long textNumbers(Batch page) {
        long found = 0;
        for (int column = 0; column < page.columns(); column++) {
            if (!plan.definition().columns().get(column).declaredType().isEmpty()) continue;
            for (int row = 0; row < page.rowCount(); row++) {
                if (page.type(row, column) == SqliteStatement.Type.TEXT) found++;
            }
        }
        return found;
    }

    private void committed(Run run) {
        committed = run;
        Optional<Long> estimated = plan.isFromTheBeginning() && plan.table().estimatedRows() >= 0
                ? Optional.of(plan.table().estimatedRows())
                : Optional.empty();
        listener.progress(
                config.name(), Progress.of(run.counts().pulled(), estimated, run.durationMs(clock.instant())));
    }
}
