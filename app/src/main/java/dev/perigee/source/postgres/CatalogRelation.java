package dev.perigee.source.postgres;

import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;

/// A row of `pg_class`, as far as we need it.
///
/// @param isReadable whether the user may select from it, or from some of its columns
/// @param hasChildren whether other tables inherit from it, whose rows its keys say nothing about
record CatalogRelation(
        long oid,
        TableId id,
        SourceTable.Kind kind,
        boolean isReadable,
        boolean hasChildren,
        long estimatedRows,
        long estimatedBytes) {}
