package dev.perigee.replication.drift;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.Identity;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.Optional;

/// Recognises a table that was renamed at the source: its new name is configured with the old `target`, and the copy
/// continues at its cursor.
public final class Handover {
    /// @param old the name the table was configured by
    private record Owner(String old, Identity identity) {}

    private Handover() {}

    /// Finds the name that the copy `config` asks for is configured by, if it is of the same table at the source under
    /// another name, and if there is no copy of `config`'s own yet.
    public static Optional<String> find(Store store, Source source, TableConfig config, SourceTable table) {
        Optional<Owner> owner = store.read(ReplicationTables.READ_LIMIT, tx -> owner(tx, config, table));
        if (owner.isEmpty()) return Optional.empty();
        Optional<Identity> now =
                source.snapshot("table " + config.name(), List.of(table.id()), snapshot -> snapshot.identity(table));
        return now.filter(owner.get().identity()::isSameTable)
                .map(_ -> owner.get().old());
    }

    /// Hands the copy over, if there is one to hand over, where no server is that could be at work on it.
    static void take(Store store, Source source, TableConfig config, SourceTable table) {
        find(store, source, config, table)
                .ifPresent(old -> store.write(tx -> {
                    ReplicationTables.rename(tx, old, config.name());
                    return true;
                }));
    }

    private static Optional<Owner> owner(Transaction tx, TableConfig config, SourceTable table) {
        boolean hasOwn = StateRecords.find(tx, config.name())
                .flatMap(TableState::definition)
                .isPresent();
        if (hasOwn) return Optional.empty();
        return StateRecords.ownerOf(tx, config.target().orElse(table.id().name()))
                .filter(old -> !old.equals(config.name()))
                .flatMap(old -> DriftRecords.find(tx, old).identity().map(identity -> new Owner(old, identity)));
    }
}
