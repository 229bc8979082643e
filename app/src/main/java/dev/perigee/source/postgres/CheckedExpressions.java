package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.source.Expression;
import dev.perigee.source.Mask;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.session.PostgresFaults;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Checks the expressions in tables' settings, each once for the same columns of the same table, so that a sync need
/// not ask. Safe for many threads.
final class CheckedExpressions {
    /// Checks that are remembered.
    private static final int MAX_REMEMBERED = 10_000;

    private record Asked(TableId table, List<Expression.Used> columns, String field, String text) {}

    private final SourceConfig config;
    private final PostgresConnections connections;
    private final Map<Asked, Expression> checked = new LinkedHashMap<>();

    CheckedExpressions(SourceConfig config, PostgresConnections connections) {
        this.config = config;
        this.connections = connections;
    }

    /// See [dev.perigee.source.Source#selected].
    SourceTable selected(SourceTable table, TableConfig.Reading reading) {
        if (!reading.hasExpressions()) return table;
        Optional<Expression> slice = reading.where().map(where -> expression(table, ExpressionCheck.WHERE, where));
        Map<String, Mask> masks = new LinkedHashMap<>();
        reading.masks().forEach((name, text) -> {
            if (table.access().isUnreadable(name)) throw table.unreadable("table " + table.id(), name);
            Expression.Used column = table.used(name)
                    .orElseThrow(() -> Fault.SOURCE_COLUMN_MISSING.in(
                            "table " + table.id(),
                            "`columns` masks the column \"%s\", which the table does not have".formatted(name),
                            "Nothing was changed"));
            masks.put(name, new Mask(column, expression(table, "columns." + name, text)));
        });
        List<SourceColumn> asRead = new ArrayList<>();
        for (SourceColumn column : table.columns()) {
            Mask mask = masks.get(column.name());
            asRead.add(mask == null ? column : PostgresCatalog.described(CatalogColumn.of(mask), mask));
        }
        return table.selecting(slice, masks, asRead);
    }

    private Expression expression(SourceTable table, String field, String text) {
        List<Expression.Used> columns = table.columns().stream()
                .flatMap(column -> table.used(column.name()).stream())
                .toList();
        Asked asked = new Asked(table.id(), columns, field, text);
        synchronized (checked) {
            Expression known = checked.get(asked);
            if (known != null) return known;
        }
        Expression expression = connections.read("table " + table.id(), session -> {
            SnapshotTransaction transaction =
                    SnapshotTransaction.begin(session, config, List.of(table.id()), connections);
            return PostgresFaults.guard("table " + table.id(), config, () -> {
                transaction.execute(
                        "SET LOCAL row_security = " + (table.access().isFiltered() ? "on" : "off"));
                TableReads reads = new TableReads(transaction, config);
                SnapshotColumns catalog = new SnapshotColumns(transaction, new ColumnMemory(), reads);
                return new ExpressionCheck(transaction, reads, table, field).check(catalog.of(table.id()), text);
            });
        });
        synchronized (checked) {
            if (checked.size() == MAX_REMEMBERED)
                checked.remove(checked.keySet().iterator().next());
            checked.put(asked, expression);
        }
        return expression;
    }
}
