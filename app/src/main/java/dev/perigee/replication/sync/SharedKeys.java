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

/// Keys that more than one row of the source has, as the copy stores them. An admin may name any columns as the key;
/// where no unique index of the source covers them, rows that agree in them would overwrite each other in the copy.
final class SharedKeys implements PageSink, AutoCloseable {
    private static final int PAGE_ROWS = 1000;

    private final Batch batch;
    private final List<List<Value>> found = new ArrayList<>();

    private SharedKeys(int columns) {
        this.batch = new Batch(columns, PAGE_ROWS, PageByPage.PAGE_BYTES);
    }

    /// Whether rows may share a key: only the source's own unique indexes forbid it.
    static boolean mayBe(CopyDefinition definition, SourceTable table) {
        return !definition.key().isEmpty() && !table.isUnique(definition.key());
    }

    /// Has the source look through all of its rows.
    ///
    /// @return one key more than can be set aside, at most
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

    /// Rows with a key that cannot be read are set aside when they are pulled.
    @Override
    public void refused(RefusedRow row) {}

    @Override
    public void close() {
        batch.close();
    }
}
