package dev.perigee.source.postgres;

import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import java.util.ArrayList;
import java.util.List;

/// Takes an answer into memory, for tests; stops after as many rows as it was told.
final class CollectedAnswer implements RowSink {
    final List<List<String>> names = new ArrayList<>();
    final List<List<Value>> rows = new ArrayList<>();
    private final int most;

    public CollectedAnswer() {
        this(Integer.MAX_VALUE);
    }

    public CollectedAnswer(int most) {
        this.most = most;
    }

    @Override
    public void columns(List<String> columns) {
        names.add(columns);
    }

    @Override
    public boolean row(List<Value> cells) {
        rows.add(cells);
        return rows.size() < most;
    }
}
