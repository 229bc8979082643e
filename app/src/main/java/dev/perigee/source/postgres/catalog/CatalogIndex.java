package dev.perigee.source.postgres.catalog;

import dev.perigee.source.SourceIndex;
import java.util.List;

/// A valid, complete index over plain columns.
///
/// @param columns in the index's order, without `INCLUDE` columns, which are only stored
/// @param isOrdered whether it is a B-tree
/// @param isImmediate whether uniqueness holds at every moment, and not only at commit
record CatalogIndex(
        String name,
        List<String> columns,
        boolean isPrimary,
        boolean isUnique,
        boolean isOrdered,
        boolean isImmediate,
        boolean isReplicaIdentity) {
    CatalogIndex {
        columns = List.copyOf(columns);
    }

    SourceIndex described() {
        return new SourceIndex(name, columns, isUnique);
    }
}
