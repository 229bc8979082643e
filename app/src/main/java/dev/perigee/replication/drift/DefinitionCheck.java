package dev.perigee.replication.drift;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Identity;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.store.Store;
import java.util.List;
import java.util.Optional;

/// Compares the source table's current definition with the copy's before a sync, and alters the copy where ALTER TABLE
/// is enough. Does not alter the copy if it fails.
///
/// @param config the settings, with columns named as the source names them now
/// @param now how the copy would be made now, from these settings and the source's definition
/// @param why for people: what the source changed since the copy was made; empty where nothing
public record DefinitionCheck(TableConfig config, SourceTable table, CopyDefinition now, Optional<String> why) {

    /// Follows the source's definition: hands over the copy of a renamed table, and alters the copy where that is
    /// enough.
    ///
    /// @param asked the settings as they are configured, possibly with columns named as before a rename
    /// @param described the source's table, where it is known to be described so still; else it is asked
    /// @throws PerigeeException a `SOURCE_*` fault, or a fault of [CopyDefinition#of]
    public static DefinitionCheck follow(
            Store store, Source source, TableConfig asked, Optional<SourceTable> described, Run.Kind kind) {
        SourceTable table = described
                .filter(known -> known.isSelectedBy(asked.reading()))
                .orElseGet(() -> described(store, source, asked, kind));
        Handover.take(store, source, asked, table);
        Optional<TableState> state =
                store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, asked.name()));
        boolean isLiteral = kind == Run.Kind.RESYNC;
        SettingNames.Renamed names =
                SettingNames.follow(asked, table, state.flatMap(TableState::definition), isLiteral);
        TableConfig config = names.config();
        CopyDefinition now = CopyDefinition.of(config, table).chosenBy(asked, names.known());
        if (isLiteral || state.flatMap(TableState::definition).isEmpty()) {
            return new DefinitionCheck(
                    config, table, now.chosenBy(asked, names.known().keeping(List.of())), Optional.empty());
        }
        CopyDefinition made = state.get().definition().get();
        // If all rows are fetched again anyway, it does not matter whether the table is another one.
        boolean isOwn = state.get().copy().needsResync()
                || config.mode() == TableConfig.Mode.FULL
                || config.mode() == TableConfig.Mode.LOG;
        // After a change of the settings all rows are fetched again, whatever else the source changed.
        if (made.isChosenDifferently(now)) {
            if (!isOwn) requireSame(store, source, config, table, state.get());
            return new DefinitionCheck(config, table, now, Optional.empty());
        }
        Drift drift = Drift.between(made, now);
        requireReadable(drift, table, config);
        CopyDefinition keeping = now.chosenBy(asked, names.known().keeping(drift.kept(config.droppedColumns())));
        Optional<String> why = drift.isNone() ? Optional.empty() : Optional.of(drift.why());
        if (drift.isNone()) spelled(store, asked, made, now);
        if (drift.isNone() || isOwn) return new DefinitionCheck(config, table, keeping, why);
        requireSame(store, source, config, table, state.get());
        if (drift.isAlterable(config, table)) {
            store.write(tx -> {
                boolean hasCopy = CopyTable.existing(tx, made.target()).isPresent();
                return hasCopy && drift.apply(tx, asked.name(), config.droppedColumns());
            });
        }
        return new DefinitionCheck(config, table, keeping, why);
    }

    /// How the copy would be made now. The settings may name columns as they were called before a rename.
    public static CopyDefinition definition(Store store, TableConfig asked, SourceTable table) {
        Optional<CopyDefinition> made = store.read(
                        ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, asked.name()))
                .flatMap(TableState::definition);
        SettingNames.Renamed names = SettingNames.follow(asked, table, made, false);
        return CopyDefinition.of(names.config(), table).chosenBy(asked, names.known());
    }

    /// Stores the definition again where only names in it are new. Either the settings name the same columns in other
    /// words, or names inside a type were added, such as labels of an enum.
    private static void spelled(Store store, TableConfig asked, CopyDefinition made, CopyDefinition now) {
        CopyDefinition spelled = made.chosenBy(asked, now.known()).withPartsOf(now);
        if (spelled.equals(made)) return;
        store.write(tx -> {
            StateRecords.redefined(tx, asked.name(), spelled);
            return true;
        });
    }

    /// Refuses to take a column for dropped that the source's user may no longer read. The column still exists, and its
    /// values continue to change.
    private static void requireReadable(Drift drift, SourceTable table, TableConfig config) {
        for (CopyColumn column : drift.dropped()) {
            String name = table.access().unreadable().get(column.identity());
            if (name != null) throw table.unreadable("table " + config.name(), name);
        }
    }

    /// Makes sure that the table is the one that the copy was made from, because column numbers mean nothing in another
    /// table. A changed definition may have rewritten the table's files. Whether its rows survived is checked here,
    /// while it is still known that the definition changed; then the new files are remembered.
    private static void requireSame(
            Store store, Source source, TableConfig config, SourceTable table, TableState state) {
        Optional<HighWaterMark> seen = state.pulled().cursor();
        source.snapshot("table " + config.name(), List.of(table.id()), snapshot -> {
            SourceIdentityCheck.Found found = new SourceIdentityCheck(
                            store, config, table, seen, state.copy().rows())
                    .look(snapshot, true);
            return store.write(tx -> {
                Optional<Identity> before = DriftRecords.find(tx, config.name()).identity();
                if (before.isPresent() && found.now().isPresent()) {
                    DriftRecords.identity(
                            tx,
                            config.name(),
                            before.get().withFilesOf(found.now().get()));
                }
                return true;
            });
        });
    }

    private static SourceTable described(Store store, Source source, TableConfig asked, Run.Kind kind) {
        String name = asked.name();
        ExpressionNames expressions = ExpressionNames.of(store, asked, kind == Run.Kind.RESYNC);
        try {
            SourceTable table = source.describe(asked);
            expressions.requireUnmoved(table);
            return table;
        } catch (PerigeeException e) {
            if (e.fault() == Fault.SOURCE_COLUMN_MISSING) expressions.requireUnmoved(source.describe(name));
            if (e.fault() != Fault.SOURCE_TABLE_MISSING) throw e;
            Optional<Identity> identity = store.read(ReplicationTables.READ_LIMIT, tx -> DriftRecords.find(tx, name))
                    .identity();
            Optional<TableId> there = identity.flatMap(source::whereabouts);
            if (there.isEmpty()) throw e;
            Optional<String> copy = store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, name))
                    .flatMap(TableState::target);
            throw Fault.SOURCE_TABLE_MISSING.in(
                    "table " + name,
                    "it is called %s now".formatted(there.get()),
                    "The copy stays at its cursor and is served",
                    "configure that name with `target` \"%s\", and the copy continues without a reload"
                            .formatted(copy.orElse(name)),
                    e);
        }
    }
}
