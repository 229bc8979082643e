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

/// Recovers a copy whose source went back in time or was replaced, without fetching all rows again.
///
/// [#rebase] sets the copy's marks to where the source stands now, in one snapshot. From then on syncs fetch what is
/// new, and look for late rows below the whole mark. The caller then verifies the copy and repairs each row that
/// differs, and calls [#ended]. Until then the copy is recorded as recovering, which survives a crash.
public final class Recovery {
    private Recovery() {}

    /// Sets the marks of a copy to where the source stands now, and records the copy as recovering. The caller makes
    /// sure that no sync of the table runs meanwhile.
    ///
    /// @return false, with nothing changed, if the rows cannot be compared and must be fetched again: the copy was
    ///     never fully loaded, its mode is `full`, or the source's table has other columns or another key than the copy
    public static boolean rebase(Store store, Source source, TableConfig asked) {
        SourceTable table = source.describe(asked);
        Optional<TableState> state =
                store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, asked.name()));
        Optional<CopyDefinition> made =
                state.map(TableState::copy).filter(TableState.Copy::isLoaded).flatMap(TableState.Copy::definition);
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

    /// Records that the copy's rows are the same as the source's again. Called after a verification that repaired all.
    public static void ended(Store store, String name) {
        store.write(tx -> {
            DriftRecords.recovering(tx, name, false);
            return true;
        });
    }

    /// Whether the copy's columns and key match the source's. Compares columns by name, because the column numbers
    /// (attnum) of a table that was created again mean nothing here.
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
                .map(c -> c.withNotNull(before.getOrDefault(c.name(), c).notNull()))
                .toList();
        // The source never numbers a column below zero. The kept columns may belong to a table that is gone.
        List<CopyColumn> kept = made.known().kept().stream()
                .map(c -> c.withIdentity(-Math.abs(c.identity())))
                .toList();
        return now.withColumns(columns, kept);
    }

    private static Map<String, CopyColumn> byName(CopyDefinition definition) {
        Map<String, CopyColumn> byName = new HashMap<>();
        definition.columns().forEach(column -> byName.put(column.name(), column));
        return byName;
    }
}
