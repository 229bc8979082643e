package dev.perigee.replication.sync;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.copy.CopyTable.Index;
import dev.perigee.replication.drift.DefinitionCheck;
import dev.perigee.replication.drift.Drift;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.state.Sealing;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.Expression;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.SourceTable;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.Optional;

/// What one sync is going to do, decided from the source's definition of the table and from where the copy stands.
/// Deciding only reads. [SyncPreparation] creates the shadow or stage that a plan names.
///
/// @param config the settings, with columns named as the source names them now
/// @param table the source's table as it is described now
/// @param definition the definition of the table to fill
/// @param shadow the table to fill when everything is fetched again; empty where the copy itself is continued
/// @param stage the table that gathers the rows of a group's member, or of a copy that is cut to another slice; empty
///     where rows go into the copy at once
/// @param rescope what a copy is cut from that is to have the rows of another slice; empty where the slice stays
/// @param start where the sync begins
/// @param missingIndexes indexes to create when all rows are there
/// @param why what the source changed that this sync follows; empty where nothing
record SyncPlan(
        TableConfig config,
        SourceTable table,
        CopyDefinition definition,
        Optional<String> shadow,
        Optional<String> stage,
        Optional<Rescope> rescope,
        Start start,
        List<Index> missingIndexes,
        Optional<String> why) {

    /// A change of the slice that needs no copy from the beginning: only rows that one of the two conditions holds for
    /// are moved.
    ///
    /// @param before the slice that the copy has so far; empty for all rows
    record Rescope(Optional<Expression> before) {}

    /// Where a sync begins.
    ///
    /// @param after the mark above which rows are pulled; empty for all rows
    /// @param sealing how far the table to fill is sealed
    /// @param isLoaded whether everything was fetched once into the table to fill
    /// @param isClientSeen see [dev.perigee.replication.state.SyncOutcome]
    /// @param pages pages applied to the copy so far
    /// @param rows number of rows in the copy so far
    record Start(
            Optional<HighWaterMark> after,
            Sealing sealing,
            boolean isLoaded,
            boolean isClientSeen,
            long pages,
            long rows) {

        /// Continues the copy from where it stands.
        private static Start from(TableState state) {
            return new Start(
                    state.pulled().cursor(),
                    state.outcome().sealing(),
                    state.copy().isLoaded(),
                    state.outcome().isClientSeen(),
                    state.pulled().pages(),
                    state.copy().rows());
        }

        /// Fetches everything into a shadow, beside a copy that stands at `state`.
        private static Start again(TableState state) {
            return new Start(
                    Optional.empty(),
                    Sealing.NONE,
                    false,
                    state.outcome().isClientSeen(),
                    state.pulled().pages(),
                    state.copy().rows());
        }
    }

    private static final String SHADOW_PREFIX = "tmp_replication_shadow_";
    private static final String STAGE_PREFIX = "tmp_replication_stage_";

    /// Decides what the next sync of a table does. The table has a copy already.
    ///
    /// @param checked the source's definition, which the copy was altered to follow where that was enough
    /// @param isGroup whether the copy must stay as it is until the tables of its group are ready too
    /// @param isNew whether the copy was created for this sync, and so is empty
    static SyncPlan decide(Transaction tx, DefinitionCheck checked, Run.Kind kind, boolean isGroup, boolean isNew) {
        TableConfig config = checked.config();
        TableState state = StateRecords.find(tx, config.name()).orElseThrow();
        boolean isReplaced = isReplaced(state, checked, kind, isGroup, isNew);
        long generation =
                isReplaced ? state.copy().generation() + 1 : state.copy().generation();
        Optional<CopyDefinition> slicedOtherwise = state.definition().filter(m -> m.isSlicedDifferently(checked.now()));
        Optional<Rescope> rescope =
                isReplaced ? Optional.empty() : slicedOtherwise.map(before -> new Rescope(before.slice()));
        CopyDefinition definition =
                isReplaced ? checked.now() : state.definition().orElseThrow();
        if (rescope.isPresent()) definition = definition.slicedAs(checked.now()).withPartsOf(checked.now());
        String shadow = SHADOW_PREFIX + generation + "_" + definition.target();
        return new SyncPlan(
                config,
                checked.table(),
                definition,
                isReplaced ? Optional.of(shadow) : Optional.empty(),
                (isGroup || rescope.isPresent()) && !isReplaced
                        ? Optional.of(stageOf(definition.target()))
                        : Optional.empty(),
                rescope,
                isReplaced ? Start.again(state) : Start.from(state),
                config.indexes() ? missing(tx, definition, checked.table(), generation) : List.of(),
                checked.why().or(() -> slicedOtherwise.map(_ -> whySliced(rescope.isPresent()))));
    }

    private static String whySliced(boolean isRescoped) {
        return isRescoped
                ? "`where` was changed; rows for which only one of the two conditions is true were added or removed"
                : "`where` was changed, or a column that it uses; all rows are fetched again";
    }

    /// Whether everything is fetched into a shadow, which then replaces the copy.
    private static boolean isReplaced(
            TableState state, DefinitionCheck checked, Run.Kind kind, boolean isGroup, boolean isNew) {
        if (checked.config().mode() == TableConfig.Mode.FULL) return true;
        // A row that an interrupted load has read may have left the source since. A loaded copy is read again only
        // where the log's changes cannot be applied to it.
        if (checked.config().mode() == TableConfig.Mode.LOG && !isNew && isStarted(state)) return true;
        // Pages of a first load would be seen before the other tables of the group are ready.
        if (isGroup && !state.copy().isLoaded()) return true;
        if (isNew) return false;
        if (kind == Run.Kind.RESYNC || state.copy().needsResync()) return true;
        CopyDefinition made = state.definition().orElse(null);
        if (made == null || made.isChosenDifferently(checked.now())) return true;
        boolean isRescopable = state.copy().isLoaded()
                && made.slice().filter(s -> !s.fits(checked.table())).isEmpty();
        if (made.isSlicedDifferently(checked.now()) && !isRescopable) return true;
        return !Drift.between(made, checked.now()).isNone();
    }

    private static boolean isStarted(TableState state) {
        return state.copy().isLoaded() || state.copy().rows() > 0;
    }

    /// The table that rows are written to.
    String into() {
        return stage.or(() -> shadow).orElse(definition.target());
    }

    /// Whether rows are written to a shadow or stage, so that the copy stays as it is until the sync ends.
    boolean isAside() {
        return stage.isPresent() || shadow.isPresent();
    }

    /// Whether the table to fill has no rows yet, so that two rows with the same key are an error.
    boolean isEmpty() {
        return shadow.isPresent() || start.rows() == 0;
    }

    /// Whether the table to fill may have rows that are outside the slice by now.
    boolean mayRowsLeave() {
        return rescope.isPresent() || (!isEmpty() && table.access().slice().isPresent());
    }

    /// Whether the table is being loaded from the beginning, so that the source's estimate tells how many rows there
    /// will be.
    boolean isLoading() {
        return !start.isLoaded();
    }

    /// The number of rows that a first load had committed before it was interrupted; 0 where none is continued.
    long rowsBefore() {
        return shadow.isPresent() || start.isLoaded() ? 0 : start.rows();
    }

    boolean isFromTheBeginning() {
        return start.after().isEmpty() && !start.isLoaded();
    }

    /// The name of the stage for the copy `target`.
    static String stageOf(String target) {
        return STAGE_PREFIX + target;
    }

    private static List<Index> missing(Transaction tx, CopyDefinition definition, SourceTable table, long generation) {
        return CopyTable.indexes(definition, table.indexes(), generation).stream()
                .filter(index -> CopyTable.existing(tx, index.name()).isEmpty())
                .toList();
    }
}
