package dev.perigee.source.postgres;

import dev.perigee.source.TableId;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresTypes;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Columns of tables as earlier snapshots have read them, with the definitions that they belong to. Columns whose types
/// have definitions of their own, such as composites, are not kept. Safe for many threads.
final class ColumnMemory {
    /// Tables kept at most; when there are more, all are forgotten.
    static final int MAX_TABLES = 10_000;

    private record Kept(String definition, List<CatalogColumn> columns) {}

    private final Map<TableId, Kept> kept = new ConcurrentHashMap<>();

    /// The columns of a table that is defined as given; empty where they are not known.
    Optional<List<CatalogColumn>> of(TableId table, String definition) {
        return Optional.ofNullable(kept.get(table))
                .filter(one -> one.definition().equals(definition))
                .map(Kept::columns);
    }

    void keep(TableId table, String definition, List<CatalogColumn> columns) {
        boolean isWhole = columns.stream()
                .allMatch(column -> column.type().isBuiltIn() && !PostgresTypes.mayBeStructure(column.type()));
        if (!isWhole) return;
        if (kept.size() >= MAX_TABLES) kept.clear();
        kept.put(table, new Kept(definition, List.copyOf(columns)));
    }
}
