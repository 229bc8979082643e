package dev.perigee.source.postgres;

/// A type as the catalog has it; of a domain, the type below all domains.
///
/// @param oid `pg_type.oid`
/// @param schema the schema it lives in, for casts that no `search_path` can bend
/// @param name `pg_type.typname`, never with modifiers
/// @param kind `pg_type.typtype`: `b` base, `c` composite, `e` enum, `r` range, `m` multirange
/// @param category `pg_type.typcategory`; `A` is an array
/// @param modifier `atttypmod`, or the domain's where the column has none; -1 for none
/// @param isOrdered whether it has a default B-tree operator class, so that the source can order and compare values
record PostgresType(long oid, String schema, String name, char kind, char category, int modifier, boolean isOrdered) {

    boolean isBuiltIn() {
        return schema.equals("pg_catalog");
    }
}
