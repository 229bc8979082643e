package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.Slice;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.session.PostgresFaults;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Checks the conditions of slices, each once for the same columns of the same table, so that a sync need not ask. Safe
/// for many threads.
final class CheckedSlices {
    /// Checks that are remembered.
    private static final int MAX_REMEMBERED = 10_000;

    private record Asked(TableId table, List<Column> columns, String where) {}

    private record Column(String name, int number, String type) {}

    private final SourceConfig config;
    private final PostgresConnections connections;
    private final Map<Asked, Slice> checked = new LinkedHashMap<>();

    CheckedSlices(SourceConfig config, PostgresConnections connections) {
        this.config = config;
        this.connections = connections;
    }

    /// See [dev.perigee.source.Source#slice].
    Slice slice(SourceTable table, String where) {
        List<Column> columns = table.columns().stream()
                .map(column -> new Column(column.name(), column.identity(), column.sourceType()))
                .toList();
        Asked asked = new Asked(table.id(), columns, where);
        synchronized (checked) {
            Slice known = checked.get(asked);
            if (known != null) return known;
        }
        Slice slice = connections.read("table " + table.id(), session -> {
            SnapshotTransaction transaction =
                    SnapshotTransaction.begin(session, config, List.of(table.id()), connections);
            return PostgresFaults.guard("table " + table.id(), config, () -> {
                transaction.execute(
                        "SET LOCAL row_security = " + (table.access().isFiltered() ? "on" : "off"));
                return new SliceCheck(transaction, config)
                        .check(table, new SnapshotColumns(transaction).of(table.id()), where);
            });
        });
        synchronized (checked) {
            if (checked.size() == MAX_REMEMBERED)
                checked.remove(checked.keySet().iterator().next());
            checked.put(asked, slice);
        }
        return slice;
    }
}
