package dev.perigee.source.postgres;

import dev.perigee.batch.Batch;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.PageSink;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.List;

/// Takes pages into memory, for tests.
final class CollectedPages implements PageSink, AutoCloseable {
    final List<List<Value>> rows = new ArrayList<>();
    final List<Integer> pageSizes = new ArrayList<>();
    final List<HighWaterMark> marks = new ArrayList<>();
    private final Batch batch;

    CollectedPages(int columns, int pageRows) {
        this.batch = new Batch(columns, pageRows, 4L << 20);
    }

    @Override
    public Batch next() {
        return batch;
    }

    @Override
    public void page(Batch page, HighWaterMark end) {
        pageSizes.add(page.rowCount());
        marks.add(end);
        for (int row = 0; row < page.rowCount(); row++) {
            List<Value> cells = new ArrayList<>();
            for (int column = 0; column < page.columns(); column++) cells.add(page.value(row, column));
            rows.add(cells);
        }
        page.clear();
    }

    /// The first column of each row.
    List<Value> firsts() {
        return rows.stream().map(List::getFirst).toList();
    }

    @Override
    public void close() {
        batch.close();
    }
}
