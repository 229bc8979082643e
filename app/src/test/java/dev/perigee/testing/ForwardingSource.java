package dev.perigee.testing;

import dev.perigee.config.TableConfig;
import dev.perigee.source.Identity;
import dev.perigee.source.Look;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceReport;
import dev.perigee.source.SourceTable;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.TableId;
import dev.perigee.statement.SourceAnswers;
import dev.perigee.statement.SqlStatement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Another source, all of it, as [ForwardingSnapshot].
public class ForwardingSource implements Source {
    private final Source source;

    protected ForwardingSource(Source source) {
        this.source = source;
    }

    @Override
    public Info info() {
        return source.info();
    }

    @Override
    public SourceReport probe() {
        return source.probe();
    }

    @Override
    public Map<TableId, List<Obstacle>> obstacles(List<SourceTable> tables) {
        return source.obstacles(tables);
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
    public Optional<TableId> whereabouts(Identity identity) {
        return source.whereabouts(identity);
    }

    @Override
    public Optional<SourceVersion.At> version() {
        return source.version();
    }

    @Override
    public Optional<Look> look(List<Look.Portion> portions) {
        return source.look(portions);
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return source.snapshot(where, tables, work);
    }

    @Override
    public Optional<List<Long>> run(List<SqlStatement> statements, boolean isReadOnly, SourceAnswers answers) {
        return source.run(statements, isReadOnly, answers);
    }

    @Override
    public void close() {
        source.close();
    }
}
