package dev.perigee.replication.log;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.SourceText;
import dev.perigee.replication.copy.Upsert;
import dev.perigee.replication.drift.DefinitionCheck;
import dev.perigee.replication.drift.Drift;
import dev.perigee.replication.state.LogRecords;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.SetAsideRows;
import dev.perigee.source.Identity;
import dev.perigee.source.Look;
import dev.perigee.source.Source;
import dev.perigee.source.SourceLog;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableDefinition;
import dev.perigee.source.TableId;
import dev.perigee.store.Store;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// Decides to which copies the log's changes can be applied: those of tables that are defined as when the copy was
/// made, and that can still be followed.
final class LogTargets {
    private final Store store;
    private final Source source;
    private final SourceLog log;
    private final long maxRowBytes;

    LogTargets(Store store, Source source, SourceLog log, long maxRowBytes) {
        this.store = store;
        this.source = source;
        this.log = log;
        this.maxRowBytes = maxRowBytes;
    }

    /// @param changes by the number of each table at the source; to be closed
    /// @param outdated tables whose copies must be made again: their names, and why
    /// @param definitions of the tables at the source, from before they were looked at
    record Found(
            Map<Long, TableChanges> changes, Map<String, String> outdated, Map<TableId, TableDefinition> definitions) {}

    /// @param recorded the tables whose rows were read
    /// @param configs the settings of these tables, by name
    /// @throws PerigeeException a `SOURCE_*` fault; [Fault#INVALID_REQUEST] if a table cannot be followed any more
    Found find(List<LogRecords.Table> recorded, Map<String, TableConfig> configs, Instant now) {
        List<String> names = recorded.stream().map(LogRecords.Table::name).toList();
        Map<String, TableState> states = store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.of(tx, names));
        List<TableId> ids = new ArrayList<>();
        states.values().forEach(state -> state.definition().ifPresent(made -> ids.add(made.source())));
        Map<TableId, TableDefinition> definitions = source.look(List.of(new Look.Portion(ids, List.of(), true)))
                .map(Look::definitions)
                .orElse(Map.of());
        Map<Long, TableChanges> changes = new HashMap<>();
        Map<String, String> outdated = new HashMap<>();
        try {
            for (LogRecords.Table table : recorded) {
                TableConfig config = Objects.requireNonNull(configs.get(table.name()), "a table without settings");
                Optional<TableState> state = Optional.ofNullable(states.get(table.name()));
                Optional<CopyDefinition> made = state.flatMap(TableState::definition);
                if (made.isEmpty()) {
                    outdated.put(table.name(), "its copy is gone");
                    continue;
                }
                Optional<SourceTable> there = described(config);
                Optional<String> why =
                        there.isEmpty() ? Optional.of("it is gone") : why(table, config, state.get(), there.get());
                if (why.isPresent()) {
                    outdated.put(table.name(), why.get());
                } else {
                    log.require(made.get().wanted(table.number(), config));
                    changes.put(table.number(), changes(table, config, made.get(), there.get(), now));
                }
            }
            return new Found(changes, outdated, definitions);
        } catch (RuntimeException e) {
            changes.values().forEach(TableChanges::close);
            throw e;
        }
    }

    private Optional<SourceTable> described(TableConfig config) {
        try {
            return Optional.of(source.describe(config));
        } catch (PerigeeException e) {
            boolean isOfTable = e.fault() == Fault.SOURCE_TABLE_MISSING || e.fault() == Fault.SOURCE_COLUMN_MISSING;
            if (!isOfTable) throw e;
            return Optional.empty(); // reading the rows again fails with it
        }
    }

    private Optional<String> why(LogRecords.Table table, TableConfig config, TableState state, SourceTable there) {
        if (!state.copy().isLoaded() || state.copy().needsResync()) return Optional.of("all rows are wanted again");
        CopyDefinition made = state.definition().orElseThrow();
        CopyDefinition now = DefinitionCheck.definition(store, config, there);
        if (made.isChosenDifferently(now)) return Optional.of("its settings were changed");
        Drift drift = Drift.between(made, now);
        if (!drift.isNone()) return Optional.of(drift.why());
        Optional<Identity> identity =
                source.snapshot("table " + table.name(), List.of(there.id()), snapshot -> snapshot.identity(there));
        boolean isSame =
                identity.filter(is -> is.table().number() == table.number()).isPresent();
        return isSame ? Optional.empty() : Optional.of("it was dropped and created again");
    }

    private TableChanges changes(
            LogRecords.Table table, TableConfig config, CopyDefinition made, SourceTable there, Instant now) {
        SourceText text = new SourceText(there, made, config.timestamps() == TimestampStorage.EPOCH_MICROS);
        SetAsideRows rows = new SetAsideRows(table.name(), text, new Upsert(made, made.target()), false, false, 0);
        rows.begin(store, now);
        return new TableChanges(
                table, new TableChanges.Copy(made, made.wanted(table.number(), config), rows, text, maxRowBytes));
    }
}
