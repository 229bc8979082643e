package dev.perigee.replication.sync;

import dev.perigee.batch.Batch;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.copy.LeavingRows;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.drift.SourceIdentityCheck;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Identity;
import dev.perigee.source.Moment;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.Scope;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.Optional;

/// Writes the pages of one sync to the copy, or to the shadow or stage, each with the records that belong to it. At the
/// end it puts the shadow in the copy's place, or merges the stage into the copy.
///
/// Every method works inside the caller's transaction, on the writer thread. The thread that pulls may read [#mark]
/// while no page is under way.
final class PageWriter {
    private final SyncContext context;
    private final SyncPlan plan;
    private final SetAsideRows setAside;
    private final Moment moment;
    private final SourceIdentityCheck.Found lineage;

    // The state after the page applied last.
    private Run applied;
    private Optional<HighWaterMark> mark = Optional.empty();
    private Optional<HighWaterMark> passed = Optional.empty();
    private long textNumbers;
    private boolean isIdentityKept;

    /// @param begun the run before its first page
    /// @param moment the moment of the snapshot that the pages come from
    /// @param lineage what was found about the source's identity
    PageWriter(
            SyncContext context,
            SyncPlan plan,
            SetAsideRows setAside,
            Run begun,
            Moment moment,
            SourceIdentityCheck.Found lineage) {
        this.context = context;
        this.plan = plan;
        this.setAside = setAside;
        this.applied = begun;
        this.moment = moment;
        this.lineage = lineage;
    }

    /// The end of the last page that moved the cursor; empty where none did.
    Optional<HighWaterMark> mark() {
        return mark;
    }

    /// Moves the cursor to `end` when the run ends: rows up to there that did not come are not to be in the copy. To be
    /// called while no page is under way.
    void passed(HighWaterMark end) {
        mark = Optional.of(end);
        passed = mark;
    }

    /// Applies one page.
    ///
    /// @param refused rows that belong to the page but could not be put into the batch
    /// @param scope the rows that the page's pass pulls
    /// @param pages the number of pages before this one
    /// @return the run, with this page counted
    Run apply(Transaction tx, Batch page, List<RefusedRow> refused, HighWaterMark end, Scope scope, long pages) {
        boolean movesCursor = scope instanceof Scope.After;
        boolean isFirst = plan.isEmpty()
                && plan.rescope().isEmpty()
                && !lineage.isSeenOtherwise()
                && (movesCursor || scope instanceof Scope.Changed);
        RowCounts counts =
                setAside.apply(tx, page, refused, isFirst, context.clock().instant());
        // Other passes may send rows that the copy already has. Their numbers are counted only while the copy is empty.
        long inPage = movesCursor || plan.isEmpty() ? textNumbers(page) : 0;
        textNumbers += inPage;
        Optional<HighWaterMark> moved = movesCursor ? Optional.of(end) : Optional.empty();
        if (movesCursor) mark = moved;
        if (plan.isAside()) {
            StateRecords.advanceAside(tx, name(), pages, counts);
        } else {
            StateRecords.advance(tx, name(), pages, moved, counts, inPage);
            if (movesCursor) StateRecords.loadingSince(tx, name(), moment.mark());
        }
        applied = plan.stage().isPresent()
                ? applied.after(RowCounts.NONE, Optional.empty())
                : applied.after(counts, moved.flatMap(HighWaterMark::cursor));
        context.runs().put(tx, applied);
        keepIdentity(tx);
        return applied;
    }

    /// Puts the shadow in the copy's place, or merges the stage into the copy. Called in the transaction that ends a
    /// run which pulled everything.
    ///
    /// @param compared what a resync changed; empty where that was not counted
    /// @return `run` as it is then
    Run end(Transaction tx, Run run, Optional<RowCounts> compared) {
        if (plan.shadow().isPresent()) {
            swap(tx, plan.shadow().get(), run.work().counts().growth());
            return compared.map(run::recounted).orElse(run);
        }
        if (plan.stage().isEmpty()) {
            passed.ifPresent(_ -> StateRecords.merged(tx, name(), passed, RowCounts.NONE, 0));
            return run;
        }
        RowCounts merged =
                setAside.merge(tx, plan.definition().target(), context.clock().instant());
        CopyTable.drop(tx, plan.stage().get());
        LeavingRows.drop(tx, plan.stage().get());
        if (plan.rescope().isPresent()) StateRecords.redefined(tx, name(), plan.definition());
        StateRecords.merged(tx, name(), mark, merged, textNumbers);
        return run.counted(merged, mark.flatMap(HighWaterMark::cursor));
    }

    private void swap(Transaction tx, String shadow, long rows) {
        Optional<TableState> before = StateRecords.find(tx, name());
        String old = before.flatMap(TableState::target).orElse(plan.definition().target());
        before.flatMap(TableState::definition)
                .ifPresent(made -> CopyTable.carryOver(tx, shadow, made, plan.definition()));
        CopyTable.swap(tx, shadow, old, plan.definition().target());
        DriftRecords.renewed(tx, name(), lineage.now());
        StateRecords.swapped(tx, name(), plan.definition(), mark, rows, textNumbers);
        setAside.swapped(tx);
    }

    /// Remembers the source's identity with the first page, so that rows of a sync that breaks off are known to be of
    /// this source. New parts, and a change of what the source's user sees, are remembered only when the sync has
    /// fetched all their rows.
    private void keepIdentity(Transaction tx) {
        if (isIdentityKept || plan.isAside() || lineage.now().isEmpty()) return;
        Optional<Identity> before = DriftRecords.find(tx, name()).identity();
        Identity now = lineage.now().get();
        DriftRecords.identity(tx, name(), before.map(now::withPartsOf).orElse(now));
        isIdentityKept = true;
    }

    /// Counts the numbers of the page that are stored as text. They are in columns without a declared type, which only
    /// exact numerics have.
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

    private String name() {
        return plan.config().name();
    }
}
