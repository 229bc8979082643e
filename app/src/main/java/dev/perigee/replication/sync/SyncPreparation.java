package dev.perigee.replication.sync;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.copy.LeavingRows;
import dev.perigee.replication.drift.DefinitionCheck;
import dev.perigee.replication.state.CopyNames;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.util.Optional;

/// Alters and creates the tables of the replica that a sync writes to, before its first row is pulled: the copy, and
/// the shadow or stage. What the sync then does is a [SyncPlan].
public final class SyncPreparation {
    private SyncPreparation() {}

    /// Alters the copy if the table was changed at the source and ALTER TABLE is enough. Creates the copy if it is
    /// missing, and the shadow or stage where one is needed. A shadow or stage that a crash left behind is dropped.
    ///
    /// @param isGroup whether the copy must stay as it is until the tables of its group are ready too
    /// @return what the sync is to do
    /// @throws dev.perigee.fault.PerigeeException a `SOURCE_*` fault; [Fault#CONFLICT] if the copy's name is taken
    static SyncPlan prepare(Store store, Source source, TableSync.Member member, boolean isGroup) {
        TableConfig asked = member.config();
        Run.Kind kind = member.kind();
        DefinitionCheck checked = DefinitionCheck.follow(store, source, asked, member.described(), kind);
        boolean isNew = makeMissingCopy(store, asked.name(), checked.now());
        SyncPlan plan =
                store.read(ReplicationTables.READ_LIMIT, tx -> SyncPlan.decide(tx, checked, kind, isGroup, isNew));
        if (plan.isAside()) {
            store.write(tx -> {
                plan.shadow().ifPresent(shadow -> createShadow(tx, plan, shadow));
                plan.stage().ifPresent(stage -> {
                    renew(tx, plan.definition(), stage);
                    if (plan.mayRowsLeave()) LeavingRows.create(tx, plan.definition(), stage);
                });
                return true;
            });
        }
        return plan;
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

    /// @return whether the copy was missing
    private static boolean makeMissingCopy(Store store, String name, CopyDefinition definition) {
        if (store.read(ReplicationTables.READ_LIMIT, tx -> hasCopy(tx, name))) return false;
        return store.write(tx -> {
            if (hasCopy(tx, name)) return false;
            makeCopy(tx, name, definition);
            return true;
        });
    }

    private static boolean hasCopy(Transaction tx, String name) {
        return StateRecords.find(tx, name)
                .flatMap(TableState::target)
                .filter(target -> CopyTable.existing(tx, target).isPresent())
                .isPresent();
    }

    private static void createShadow(Transaction tx, SyncPlan plan, String shadow) {
        String name = plan.config().name();
        String target = plan.definition().target();
        TableState state = StateRecords.find(tx, name).orElseThrow();
        if (!state.target().orElseThrow().equalsIgnoreCase(target)) CopyNames.refuseTaken(tx, target, name);
        state.copy().shadow().ifPresent(left -> CopyTable.drop(tx, left));
        renew(tx, plan.definition(), shadow);
        StateRecords.shadow(tx, name, Optional.of(shadow));
    }

    /// Creates an empty table, in place of what a crash left of one.
    private static void renew(Transaction tx, CopyDefinition definition, String table) {
        CopyTable.drop(tx, table);
        CopyTable.create(tx, definition, table);
    }
}
