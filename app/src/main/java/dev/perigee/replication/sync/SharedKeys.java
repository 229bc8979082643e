package dev.perigee.replication.sync;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.PageByPage;
import dev.perigee.replication.state.SetAsideRecords;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.List;

/// Finds key values that several rows of the source share, compared as the copy stores them. An admin may choose key
/// columns that no unique index of the source covers. Rows with equal keys would overwrite each other in the copy.
final class SharedKeys implements PageSink, AutoCloseable {
    private static final int PAGE_ROWS = 1000;

    private final Batch batch;
    private final List<List<Value>> found = new ArrayList<>();

    private SharedKeys(int columns) {
        this.batch = new Batch(columns, PAGE_ROWS, PageByPage.PAGE_BYTES);
    }

    /// Whether rows may share a key. Only a unique index of the source rules that out.
    static boolean mayBe(CopyDefinition definition, SourceTable table) {
        return !definition.key().isEmpty() && !table.isUnique(definition.key());
    }

    /// Asks the source for shared keys, for which it reads all rows of the table.
    ///
    /// @return the shared keys, each once; at most one more than can be set aside
    static List<List<Value>> in(Snapshot snapshot, SourceTable table, CopyDefinition definition, TableConfig config) {
        List<String> key = definition.key();
        Scope scope = new Scope.SharedKeys(SetAsideRecords.MAX_ROWS + 1);
        try (SharedKeys keys = new SharedKeys(key.size())) {
            snapshot.pull(new Pull(table, key, key, scope, PAGE_ROWS, config.numeric(), config.timestamps()), keys);
            return keys.found;
        }
    }

    @Override
    public Batch next() {
        return batch;
    }

    @Override
    public void page(Batch page, HighWaterMark end) {
        for (int row = 0; row < page.rowCount(); row++) {
            List<Value> key = new ArrayList<>();
            for (int column = 0; column < page.columns(); column++) key.add(page.value(row, column));
            found.add(key);
        }
        page.clear();
    }

    /// Does nothing: rows whose key cannot be decoded are set aside when they are pulled.
    @Override
    public void refused(RefusedRow row) {}

    @Override
    public void close() {
        batch.close();
    }
}
