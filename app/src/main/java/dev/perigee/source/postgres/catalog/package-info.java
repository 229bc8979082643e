/// What PostgreSQL's catalog tells about a table: columns, types, keys, indexes, rights.
///
/// Guarantee: one description of a table comes from one snapshot.
///
/// Start reading at [PostgresCatalog] and [PostgresTypes].
@NullMarked
package dev.perigee.source.postgres.catalog;

import org.jspecify.annotations.NullMarked;
