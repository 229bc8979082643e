package dev.perigee.source.postgres.catalog;

import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;

/// A row of `pg_class`, as far as we need it.
///
/// @param mayUseSchema whether the user has USAGE on its schema
/// @param maySelect whether the user has SELECT on it, or on some of its columns
/// @param hasChildren whether other tables inherit from it; its keys do not cover their rows
record CatalogRelation(
        long oid,
        TableId id,
        SourceTable.Kind kind,
        boolean mayUseSchema,
        boolean maySelect,
        boolean hasChildren,
        long estimatedRows,
        long estimatedBytes) {

    boolean isReadable() {
        return mayUseSchema && maySelect;
    }
}
