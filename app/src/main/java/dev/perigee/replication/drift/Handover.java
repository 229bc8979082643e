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

/// Recognises a table that was renamed at the source. An admin configures the new name with the copy's name as
/// `target`, and the copy continues at its cursor.
public final class Handover {
    /// The table that a copy belongs to so far.
    ///
    /// @param old its configured name
    private record Owner(String old, Identity identity) {}

    private Handover() {}

    /// Finds the configured name whose copy `config` should take over. Empty if that copy does not come from the same
    /// table of the source, or if `config` has a copy already.
    public static Optional<String> find(Store store, Source source, TableConfig config, SourceTable table) {
        Optional<Owner> owner = store.read(ReplicationTables.READ_LIMIT, tx -> owner(tx, config, table));
        if (owner.isEmpty()) return Optional.empty();
        Optional<Identity> now =
                source.snapshot("table " + config.name(), List.of(table.id()), snapshot -> snapshot.identity(table));
        return now.filter(owner.get().identity()::isSameTable)
                .map(_ -> owner.get().old());
    }

    /// Hands the copy over to the new name, if there is one to hand over. For syncs without a server. A server does it
    /// when the new name is configured, after ending what is at work on the copy.
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
