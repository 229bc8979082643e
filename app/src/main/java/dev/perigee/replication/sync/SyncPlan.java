package dev.perigee.replication.sync;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.copy.CopyTable.Index;
import dev.perigee.replication.drift.DefinitionCheck;
import dev.perigee.replication.drift.Drift;
import dev.perigee.replication.state.CopyNames;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.state.Sealing;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.Optional;

/// What one sync is going to do, decided from the source's definition of the table and from where the copy stands.
///
/// @param config the settings, with columns named as the source names them now
/// @param table the source's table as it is described now
/// @param shadow the table to fill when everything is fetched again; empty where the copy itself is continued
/// @param stage the table that gathers the rows of a group's member; empty where rows go into the copy at once
/// @param isEmpty whether the table to fill has no rows yet, so that two rows with the same key are an error
/// @param after the mark above which rows are pulled; empty for all rows
/// @param sealing how far the copy is sealed
/// @param isLoaded whether everything was fetched once
/// @param isClientSeen see [dev.perigee.replication.state.SyncOutcome]
/// @param pages pages applied to the copy so far
/// @param rows number of rows in the copy so far
/// @param generation the copy's generation when this sync is done
/// @param missingIndexes indexes to create when all rows are there
/// @param why what the source changed that this sync follows; empty where nothing
public record SyncPlan(
        TableConfig config,
        SourceTable table,
        CopyDefinition definition,
        Optional<String> shadow,
        Optional<String> stage,
        boolean isEmpty,
        Optional<HighWaterMark> after,
        Sealing sealing,
        boolean isLoaded,
        boolean isClientSeen,
        long pages,
        long rows,
        long generation,
        List<Index> missingIndexes,
        Optional<String> why) {

    private static final String SHADOW_PREFIX = "tmp_replication_shadow_";
    private static final String STAGE_PREFIX = "tmp_replication_stage_";

    /// Looks at the source, and creates the copy or a shadow where one is needed. If the table was changed at the
    /// source, its copy is altered, or replaced by a shadow.
    ///
    /// @throws dev.perigee.fault.PerigeeException a `SOURCE_*` fault; [Fault#CONFLICT] when the copy's name is taken.
    ///     Nothing was changed then
    ///
    /// @param isGroup whether the copy must stay as it is until the tables of its group are ready too
    static SyncPlan make(Store store, Source source, TableConfig asked, Run.Kind kind, boolean isGroup) {
        DefinitionCheck drifting = DefinitionCheck.look(store, source, asked, kind);
        TableConfig config = drifting.config();
        SourceTable table = drifting.table();
        CopyDefinition now = drifting.now();
        boolean isAside = isGroup || config.mode() == TableConfig.Mode.FULL;
        SyncPlan plan = store.read(ReplicationTables.READ_LIMIT, tx -> goOn(tx, config, table, now, kind))
                .filter(going -> !isAside || going.isLoaded())
                .orElseGet(() -> store.write(tx -> prepare(tx, config, table, now, isAside)))
                .because(drifting.why());
        return isGroup ? plan.staged(store) : plan;
    }

    /// The same plan with the reason, for the record of the run.
    private SyncPlan because(Optional<String> why) {
        return new SyncPlan(
                config,
                table,
                definition,
                shadow,
                stage,
                isEmpty,
                after,
                sealing,
                isLoaded,
                isClientSeen,
                pages,
                rows,
                generation,
                missingIndexes,
                why);
    }

    /// The table that rows are written to.
    String into() {
        return stage.or(() -> shadow).orElse(definition.target());
    }

    /// Whether rows are written to a shadow or stage, so that the copy stays as it is until the sync ends.
    boolean isAside() {
        return stage.isPresent() || shadow.isPresent();
    }

    /// The same plan with a stage, which is created here and replaces what a crash left of one. A plan that already has
    /// a shadow or stage stays as it is.
    SyncPlan staged(Store store) {
        if (isAside()) return this;
        String name = stageOf(definition.target());
        store.write(tx -> {
            CopyTable.drop(tx, name);
            CopyTable.create(tx, definition, name);
            return true;
        });
        return new SyncPlan(
                config,
                table,
                definition,
                shadow,
                Optional.of(name),
                isEmpty,
                after,
                sealing,
                isLoaded,
                isClientSeen,
                pages,
                rows,
                generation,
                missingIndexes,
                why);
    }

    /// Whether the table is being loaded from the beginning, so that the source's estimate tells how many rows there
    /// will be.
    boolean isLoading() {
        return shadow.isPresent() || !isLoaded;
    }

    /// The number of rows that a first load had committed before it was interrupted; 0 where none is continued.
    long rowsBefore() {
        return shadow.isPresent() || isLoaded ? 0 : rows;
    }

    boolean isFromTheBeginning() {
        return shadow.isPresent() || (after.isEmpty() && !isLoaded);
    }

    /// The name of the stage for the copy `target`.
    static String stageOf(String target) {
        return STAGE_PREFIX + target;
    }

    /// The plan for a copy that is simply continued; empty where a table must be created first.
    private static Optional<SyncPlan> goOn(
            Transaction tx, TableConfig config, SourceTable table, CopyDefinition now, Run.Kind kind) {
        TableState state = StateRecords.find(tx, config.name()).orElse(null);
        boolean isWhole = kind == Run.Kind.RESYNC || config.mode() == TableConfig.Mode.FULL;
        if (isWhole || state == null || state.needsResync()) return Optional.empty();
        CopyDefinition made = state.definition().orElse(null);
        if (made == null || made.isChosenDifferently(now)) return Optional.empty();
        if (CopyTable.existing(tx, made.target()).isEmpty()) return Optional.empty();
        if (!Drift.between(made, now).isNone()) return Optional.empty();
        return Optional.of(of(tx, config, table, made, state, Optional.empty(), state.generation()));
    }

    private static SyncPlan prepare(
            Transaction tx, TableConfig config, SourceTable table, CopyDefinition now, boolean isAside) {
        String name = config.name();
        StateRecords.ensure(tx, name);
        boolean hasCopy = StateRecords.find(tx, name)
                .flatMap(TableState::target)
                .filter(target -> CopyTable.existing(tx, target).isPresent())
                .isPresent();
        if (!hasCopy) makeCopy(tx, name, now);
        if (!hasCopy && !isAside) {
            TableState state = StateRecords.find(tx, name).orElseThrow();
            return of(tx, config, table, now, state, Optional.empty(), state.generation());
        }
        TableState before = StateRecords.find(tx, name).orElseThrow();
        if (!before.target().orElseThrow().equalsIgnoreCase(now.target()))
            CopyNames.refuseTaken(tx, now.target(), name);
        long generation = before.generation() + 1;
        String shadow = SHADOW_PREFIX + generation + "_" + now.target();
        before.shadow().ifPresent(left -> CopyTable.drop(tx, left));
        CopyTable.drop(tx, shadow);
        CopyTable.create(tx, now, shadow);
        StateRecords.shadow(tx, name, Optional.of(shadow));
        TableState state = StateRecords.find(tx, name).orElseThrow();
        return of(tx, config, table, now, state, Optional.of(shadow), generation);
    }

    /// Creates an empty copy.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFLICT] if its name is taken
    public static void makeCopy(Transaction tx, String name, CopyDefinition definition) {
        StateRecords.ensure(tx, name);
        CopyNames.refuseTaken(tx, definition.target(), name);
        CopyTable.create(tx, definition, definition.target());
        StateRecords.made(tx, name, definition);
        DriftRecords.forget(tx, name);
    }

    private static SyncPlan of(
            Transaction tx,
            TableConfig config,
            SourceTable table,
            CopyDefinition definition,
            TableState state,
            Optional<String> shadow,
            long generation) {
        return new SyncPlan(
                config,
                table,
                definition,
                shadow,
                Optional.empty(),
                shadow.isPresent() || state.rowCount() == 0,
                shadow.isPresent() ? Optional.empty() : state.cursor(),
                shadow.isPresent() ? Sealing.NONE : state.sealing(),
                shadow.isEmpty() && state.isLoaded(),
                state.isClientSeen(),
                state.pages(),
                state.rowCount(),
                generation,
                config.indexes() ? missing(tx, definition, table, generation) : List.of(),
                Optional.empty());
    }

    private static List<Index> missing(Transaction tx, CopyDefinition definition, SourceTable table, long generation) {
        return CopyTable.indexes(definition, table.indexes(), generation).stream()
                .filter(index -> CopyTable.existing(tx, index.name()).isEmpty())
                .toList();
    }
}
