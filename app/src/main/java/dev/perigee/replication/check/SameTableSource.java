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

/// A source as long as one of its tables is the one it was: each snapshot asks first, before anything else is read in
/// it. What is missing in another server, database or table of the same name says nothing about the copy.
///
/// Everything that removes rows from a copy because the source does not have them reads through this.
public record SameTableSource(Source source, Asking asking) implements Source {
    /// Throws where the table is another one.
    @FunctionalInterface
    interface Asking {
        void ask(Snapshot snapshot, String where);
    }

    /// As long as the table is the one that its copy's rows come from.
    ///
    /// @see Lineage
    public static SameTableSource remembered(Store store, Source source, TableConfig config, SourceTable table) {
        return new SameTableSource(source, (snapshot, _) -> {
            TableState state = store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, config.name()))
                    .orElseThrow();
            new SourceIdentityCheck(store, config, table, state.cursor(), state.rowCount()).look(snapshot, false);
        });
    }

    /// As long as nothing replaced or emptied the table since it had `identity`, see [Snapshot#identity].
    static SameTableSource since(Source source, SourceTable table, Optional<Identity> identity) {
        return new SameTableSource(source, (snapshot, where) -> {
            if (isSame(identity, snapshot.identity(table))) return;
            throw Fault.SOURCE_SCHEMA_CHANGED.in(
                    where,
                    "%s was replaced or emptied between two looks at it".formatted(table.id()),
                    "Nothing was deleted since");
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
                && now.get().storage().equals(before.get().storage());
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
    public Optional<List<Long>> run(List<SqlStatement> statements, boolean isReadOnly, SourceAnswers answers) {
        return source.run(statements, isReadOnly, answers);
    }

    /// Does nothing: the source is somebody else's.
    @Override
    public void close() {}
}
