package dev.perigee.replication.run;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.replication.drift.SettingNames;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.Sealing;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Identity;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A way back for the copy of a source that is not what it was.
///
/// First the copy's marks are set to where the source stands, in one snapshot: from then on syncs bring what is new,
/// and look for late rows everywhere. What differs from before is then mended row by row. Until that is done the copy
/// is known to be in recovery, also after a crash.
public final class Recovery {
    private Recovery() {}

    /// Sets the marks of a copy to where the source stands now. Not while the table is synced.
    ///
    /// @return false, with nothing changed, where the source's table has other columns or another key than the copy, so
    ///     that the rows cannot be compared and must be fetched again
    public static boolean rebase(Store store, Source source, TableConfig asked) {
        SourceTable table = source.describe(asked);
        Optional<TableState> state =
                store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, asked.name()));
        Optional<CopyDefinition> made = state.filter(TableState::isLoaded).flatMap(TableState::definition);
        if (made.isEmpty() || asked.mode() == TableConfig.Mode.FULL) return false;
        SettingNames.Renamed names = SettingNames.follow(asked, table, made, true);
        TableConfig config = names.config();
        CopyDefinition now = CopyDefinition.of(config, table).chosenBy(asked, names.known());
        if (!fits(made.get(), now)) return false;
        CopyDefinition rebased = asMade(made.get(), now);
        return source.snapshot("table " + asked.name(), List.of(table.id()), snapshot -> {
            Optional<HighWaterMark> end =
                    config.cursorColumn().flatMap(cursor -> snapshot.greatest(table, cursor, rebased.key()));
            Optional<Identity> identity = snapshot.identity(table);
            return store.write(tx -> rebased(tx, asked.name(), rebased, end, identity, snapshot));
        });
    }

    private static boolean rebased(
            Transaction tx,
            String name,
            CopyDefinition definition,
            Optional<HighWaterMark> end,
            Optional<Identity> identity,
            Snapshot snapshot) {
        Sealing sealing =
                new Sealing(Optional.empty(), Optional.of(snapshot.moment().mark()), List.of());
        StateRecords.redefined(tx, name, definition);
        StateRecords.rebased(tx, name, end, sealing);
        DriftRecords.renewed(tx, name, identity);
        DriftRecords.recovering(tx, name, true);
        return true;
    }

    /// The copy's rows are the source's again.
    public static void ended(Store store, String name) {
        store.write(tx -> {
            DriftRecords.recovering(tx, name, false);
            return true;
        });
    }

    /// By name: numbers of columns mean nothing in a table that was made anew.
    private static boolean fits(CopyDefinition made, CopyDefinition now) {
        if (!made.target().equals(now.target()) || !made.key().equals(now.key())) return false;
        if (made.columns().size() != now.columns().size()) return false;
        Map<String, CopyColumn> before = byName(made);
        return now.columns().stream().allMatch(column -> {
            CopyColumn old = before.get(column.name());
            return old != null
                    && old.sourceType().equals(column.sourceType())
                    && old.declaredType().equals(column.declaredType())
                    && (column.notNull() || !old.notNull());
        });
    }

    private static CopyDefinition asMade(CopyDefinition made, CopyDefinition now) {
        Map<String, CopyColumn> before = byName(made);
        List<CopyColumn> columns = now.columns().stream()
                .map(c -> new CopyColumn(
                        c.name(),
                        c.identity(),
                        c.sourceType(),
                        c.declaredType(),
                        before.getOrDefault(c.name(), c).notNull(),
                        c.note()))
                .toList();
        // Numbers below zero are no column's: those kept belong to a table that may be gone.
        List<CopyColumn> kept = made.known().kept().stream()
                .map(c -> new CopyColumn(
                        c.name(), -Math.abs(c.identity()), c.sourceType(), c.declaredType(), c.notNull(), c.note()))
                .toList();
        return new CopyDefinition(
                now.source(),
                now.target(),
                columns,
                now.key(),
                now.cursorColumn(),
                now.choices(),
                now.known().keeping(kept),
                now.parts());
    }

    private static Map<String, CopyColumn> byName(CopyDefinition definition) {
        Map<String, CopyColumn> byName = new HashMap<>();
        definition.columns().forEach(column -> byName.put(column.name(), column));
        return byName;
    }
}
