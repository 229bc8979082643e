package dev.perigee.source.postgres.catalog;

import dev.perigee.source.SourceTable;
import dev.perigee.source.postgres.session.PostgresNames;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The columns that identify a row: the primary key, or else a unique index in which no column can be NULL.
///
/// @param origin for people, as `SourceTable.keyOrigin`
record CatalogKey(List<String> columns, String origin) {
    static final CatalogKey NONE = new CatalogKey(List.of(), "none");

    CatalogKey {
        columns = List.copyOf(columns);
    }

    /// @param columns those that the user may read; a key with other columns is of no use
    static CatalogKey of(CatalogRelation relation, List<CatalogColumn> columns, List<CatalogIndex> indexes) {
        // A primary key or a unique index does not cover the tables that inherit, but a SELECT reads their rows too.
        if (relation.hasChildren()) return new CatalogKey(List.of(), SourceTable.INHERITED);
        for (CatalogIndex index : indexes) {
            if (index.isPrimary() && index.columns().stream().allMatch(name -> isKnown(columns, name))) {
                return new CatalogKey(index.columns(), "primary key");
            }
        }
        Optional<CatalogIndex> best = indexes.stream()
                .filter(index -> index.isUnique() && index.isImmediate() && !index.isPrimary())
                .filter(index -> index.columns().stream().allMatch(name -> isNotNull(columns, name)))
                .min(Comparator.comparing((CatalogIndex index) -> !index.isReplicaIdentity())
                        .thenComparing(index -> index.columns().size())
                        .thenComparing(CatalogIndex::name));
        return best.map(index -> new CatalogKey(index.columns(), "unique index " + PostgresNames.name(index.name())))
                .orElse(NONE);
    }

    private static boolean isKnown(List<CatalogColumn> columns, String name) {
        return columns.stream().anyMatch(column -> column.name().equals(name));
    }

    private static boolean isNotNull(List<CatalogColumn> columns, String name) {
        return columns.stream().anyMatch(column -> column.name().equals(name) && column.isNotNull());
    }
}
