package dev.perigee.source.postgres.catalog;

import dev.perigee.source.SourceKey;
import dev.perigee.source.postgres.session.PostgresNames;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Chooses the columns that identify a row: the primary key, or else a unique index in which no column can be NULL.
final class CatalogKey {
    private CatalogKey() {}

    /// @param columns those that the user may read; a key with other columns is of no use
    static SourceKey of(CatalogRelation relation, List<CatalogColumn> columns, List<CatalogIndex> indexes) {
        // A primary key or a unique index does not cover the tables that inherit, but a SELECT reads their rows too.
        if (relation.hasChildren()) return SourceKey.INHERITED;
        for (CatalogIndex index : indexes) {
            if (index.isPrimary() && index.columns().stream().allMatch(name -> isKnown(columns, name))) {
                return new SourceKey(index.columns(), "primary key");
            }
        }
        Optional<CatalogIndex> best = indexes.stream()
                .filter(index -> index.isUnique() && index.isImmediate() && !index.isPrimary())
                .filter(index -> index.columns().stream().allMatch(name -> isNotNull(columns, name)))
                .min(Comparator.comparing((CatalogIndex index) -> !index.isReplicaIdentity())
                        .thenComparing(index -> index.columns().size())
                        .thenComparing(CatalogIndex::name));
        return best.map(index -> new SourceKey(index.columns(), "unique index " + PostgresNames.name(index.name())))
                .orElse(SourceKey.NONE);
    }

    private static boolean isKnown(List<CatalogColumn> columns, String name) {
        return columns.stream().anyMatch(column -> column.name().equals(name));
    }

    private static boolean isNotNull(List<CatalogColumn> columns, String name) {
        return columns.stream().anyMatch(column -> column.name().equals(name) && column.isNotNull());
    }
}
