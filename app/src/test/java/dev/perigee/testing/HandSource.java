package dev.perigee.testing;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.SourceAnswers;
import dev.perigee.statement.SqlStatement;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A source whose failures and answers are in the test's hand.
public final class HandSource implements Source {
    public final AtomicInteger queries = new AtomicInteger();
    public volatile @Nullable PerigeeException failure;
    public volatile List<Value> parameters = List.of();
    public volatile String sql = "";
    public volatile long rows = 1;

    private void mayFail() {
        PerigeeException wanted = failure;
        if (wanted != null) throw wanted;
    }

    @Override
    public Info info() {
        mayFail();
        return new Info("Hand 1", "here");
    }

    @Override
    public List<SourceTable> discover() {
        return List.of();
    }

    @Override
    public SourceTable describe(String name) {
        throw Fault.SOURCE_TABLE_MISSING.saying("no tables here");
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        throw Fault.SOURCE_TABLE_MISSING.saying("no tables here");
    }

    @Override
    public Optional<List<Long>> run(List<SqlStatement> statements, boolean isReadOnly, SourceAnswers answers) {
        queries.incrementAndGet();
        sql = statements.getFirst().sql();
        parameters = statements.getFirst().positional();
        mayFail();
        RowSink sink = answers.rows(0);
        sink.columns(List.of("n", "text"));
        for (long i = 0; i < rows; i++) {
            if (!sink.row(List.of(new Value.Int(i), new Value.Text("row")))) break;
        }
        return Optional.of(List.of(-1L));
    }

    @Override
    public void close() {}
}
