package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.FreshnessToken;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Passes rows on to `next`; arrays of the external database become JSON, as a copy would have them.
final class ShownRows implements AnswerSink {
    private final RestTable table;
    private final AnswerSink next;
    private List<Optional<Column>> columns = List.of();

    ShownRows(RestTable table, AnswerSink next) {
        this.table = table;
        this.next = next;
    }

    @Override
    public void columns(List<String> names) {
        columns = table.isExternal() ? names.stream().map(table::find).toList() : List.of();
        next.columns(names);
    }

    @Override
    public boolean row(List<Value> cells) {
        if (columns.stream().noneMatch(column -> column.filter(Column::isArray).isPresent())) return next.row(cells);
        List<Value> shown = new ArrayList<>(cells.size());
        for (int i = 0; i < cells.size(); i++) {
            Value cell = cells.get(i);
            shown.add(columns.get(i).map(column -> column.shown(cell)).orElse(cell));
        }
        return next.row(shown);
    }

    @Override
    public void end(Meta meta) {
        next.end(meta);
    }

    @Override
    public void committed() {
        next.committed();
    }

    @Override
    public void fresh(AnswerFreshness freshness) {
        next.fresh(freshness);
    }

    @Override
    public void wrote(FreshnessToken token) {
        next.wrote(token);
    }
}
