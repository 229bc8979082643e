package dev.perigee.replication;

import dev.perigee.fault.Fault;
import dev.perigee.source.Answering;
import dev.perigee.source.Asked;
import dev.perigee.source.Identity;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A source as long as one of its tables is the one it was: each snapshot asks first. What is missing in
/// another table of the same name says nothing about the first.
///
/// @param identity of the table as it was, see [Snapshot#identity]
record SameTable(Source source, SourceTable table, Optional<Identity> identity) implements Source {
    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return source.snapshot(where, tables, snapshot -> {
            if (!isSame(snapshot.identity(table))) {
                throw Fault.SOURCE_SCHEMA_CHANGED.in(
                        where,
                        "%s was replaced or emptied between two looks at it".formatted(table.id()),
                        "Nothing was deleted since");
            }
            return work.apply(snapshot);
        });
    }

    private boolean isSame(Optional<Identity> now) {
        if (now.isEmpty() || identity.isEmpty()) return now.equals(identity);
        return now.get().isSameTable(identity.get())
                && now.get().storage().equals(identity.get().storage());
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
    public Optional<List<Long>> run(List<Asked> statements, boolean isReadOnly, Answering answers) {
        return source.run(statements, isReadOnly, answers);
    }

    /// Does nothing: the source is somebody else's.
    @Override
    public void close() {}
}
