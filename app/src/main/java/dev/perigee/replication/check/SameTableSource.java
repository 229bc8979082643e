package dev.perigee.replication.check;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.replication.drift.SourceIdentityCheck;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.Identity;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.statement.SourceAnswers;
import dev.perigee.statement.SqlStatement;
import dev.perigee.store.Store;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A source that refuses to be read once one of its tables is not the same table any more. Each snapshot checks this
/// before anything else is read in it. Rows that are missing in another server, database or table of the same name say
/// nothing about the copy.
///
/// Sweeps, verifications and backfills read through this class, because they remove rows that the source does not have.
public record SameTableSource(Source source, Asking asking) implements Source {
    /// Checks the table's identity in a snapshot, and throws if it is another table.
    @FunctionalInterface
    interface Asking {
        void ask(Snapshot snapshot, String where);
    }

    /// Requires the table to be the one that its copy's rows come from, as recorded in the replica.
    ///
    /// @see SourceIdentityCheck
    public static SameTableSource remembered(Store store, Source source, TableConfig config, SourceTable table) {
        return new SameTableSource(source, (snapshot, _) -> {
            TableState state = store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, config.name()))
                    .orElseThrow();
            new SourceIdentityCheck(
                            store,
                            config,
                            table,
                            state.pulled().cursor(),
                            state.copy().rows())
                    .look(snapshot, false);
        });
    }

    /// Requires that the table was neither replaced nor emptied since it had `identity`, see [Snapshot#identity].
    static SameTableSource since(Source source, SourceTable table, Optional<Identity> identity) {
        return new SameTableSource(source, (snapshot, where) -> {
            if (isSame(identity, snapshot.identity(table))) return;
            throw Fault.SOURCE_SCHEMA_CHANGED.in(
                    where,
                    "%s was replaced or emptied between two snapshots".formatted(table.id()),
                    "Nothing was deleted from the copy since then");
        });
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return source.snapshot(where, tables, snapshot -> {
            asking.ask(snapshot, where);
            return work.apply(snapshot);
        });
    }

    private static boolean isSame(Optional<Identity> before, Optional<Identity> now) {
        if (now.isEmpty() || before.isEmpty()) return now.equals(before);
        return now.get().isSameTable(before.get())
                && now.get().table().storage().equals(before.get().table().storage());
    }

    @Override
    public Info info() {
        return source.info();
    }

    @Override
    public List<SourceTable> discover() {
        return source.discover();
    }

    @Override
    public SourceTable describe(String name) {
        return source.describe(name);
    }

    @Override
    public SourceTable selected(SourceTable table, TableConfig.Reading reading) {
        return source.selected(table, reading);
    }

    @Override
    public Optional<List<Long>> run(List<SqlStatement> statements, boolean isReadOnly, SourceAnswers answers) {
        return source.run(statements, isReadOnly, answers);
    }

    /// Does nothing: whoever opened the source closes it.
    @Override
    public void close() {}
}
