package dev.perigee.replication.run;

import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.ConfiguredTable;
import dev.perigee.replication.state.CopyNames;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.SyncPreparation;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A table that is about to be replicated with these settings, and the copy that it needs. Storing it records the
/// settings and makes sure that the copy exists under a name that no other table has.
///
/// @param definition how the copy is to be made
record CopyReservation(ConfiguredTable table, CopyDefinition definition) {
    /// Records the settings and reserves the copies, in the caller's transaction.
    ///
    /// @return the names of the copies, in the order of `wanted`
    static List<String> store(Transaction tx, List<CopyReservation> wanted, boolean isAdopting, Instant due) {
        List<String> targets = new ArrayList<>();
        for (CopyReservation one : wanted) {
            String name = one.table().config().name();
            ConfigRecords.put(tx, one.table());
            targets.add(one.reserve(tx, isAdopting));
            StateRecords.dueAt(tx, name, Optional.of(due));
        }
        if (ConfigRecords.all(tx).size() > Tables.MAX_TABLES) {
            throw Fault.TOO_LARGE.in(
                    "replication",
                    "there would be more than %d replicated tables".formatted(Tables.MAX_TABLES),
                    "Nothing was changed",
                    "remove tables that are no longer needed first");
        }
        return targets;
    }

    /// Finds, adopts or creates the copy of a table.
    ///
    /// @return the name that the copy has now, which may differ from the one in the settings
    private String reserve(Transaction tx, boolean isAdopting) {
        String name = table.config().name();
        StateRecords.ensure(tx, name);
        Optional<String> made = StateRecords.find(tx, name)
                .flatMap(TableState::target)
                .filter(target -> CopyTable.existing(tx, target).isPresent());
        if (made.isEmpty()) {
            Optional<String> adopted = isAdopting ? CopyNames.unowned(tx, definition.target()) : Optional.empty();
            if (adopted.isEmpty()) SyncPreparation.makeCopy(tx, name, definition);
            else StateRecords.adopted(tx, name, adopted.get());
            return adopted.orElse(definition.target());
        }
        if (!made.get().equalsIgnoreCase(definition.target())) {
            CopyNames.refuseTaken(tx, definition.target(), name);
        }
        return made.orElse(definition.target());
    }
}
