package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.source.Identity;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.store.Store;
import dev.perigee.store.Store.Transaction;
import java.util.List;
import java.util.Optional;

/// Gives a copy to the name its table has now: who renames a table at the source configures the new name with the old
/// `target`, and the copy goes on at its cursor.
final class Handover {
    /// @param old the name the table was configured by
    private record Owner(String old, Identity identity) {}

    private Handover() {}

    /// Takes the copy over that `config` asks for, if it belongs to the same table of the source under another name,
    /// and if there is none of `config`'s own yet.
    ///
    /// @return the name it was configured by before; empty where there was nothing to take over
    static Optional<String> take(Store store, Source source, TableConfig config, SourceTable table) {
        Optional<Owner> owner = store.read(SyncPlan.READ_LIMIT, tx -> owner(tx, config, table));
        if (owner.isEmpty()) return Optional.empty();
        Optional<Identity> now =
                source.snapshot("table " + config.name(), List.of(table.id()), snapshot -> snapshot.identity(table));
        if (now.filter(owner.get().identity()::isSameTable).isEmpty()) return Optional.empty();
        String old = owner.get().old();
        store.write(tx -> {
            for (String place : List.of("state", "drift", "set_aside", "proofs", "sweeps")) {
                tx.statement("DELETE FROM tmp_replication_%s WHERE name = ?1".formatted(place))
                        .bindText(1, config.name())
                        .run();
            }
            for (String place : List.of("state", "drift", "set_aside", "proofs", "sweeps", "runs")) {
                tx.statement("UPDATE tmp_replication_%s SET name = ?2 WHERE name = ?1".formatted(place))
                        .bindText(1, old)
                        .bindText(2, config.name())
                        .run();
            }
            return true;
        });
        return Optional.of(old);
    }

    private static Optional<Owner> owner(Transaction tx, TableConfig config, SourceTable table) {
        boolean hasOwn = StateTable.find(tx, config.name())
                .flatMap(TableState::definition)
                .isPresent();
        if (hasOwn) return Optional.empty();
        return StateTable.ownerOf(tx, config.target().orElse(table.id().name()))
                .filter(old -> !old.equals(config.name()))
                .flatMap(old -> DriftTable.find(tx, old).identity().map(identity -> new Owner(old, identity)));
    }
}
