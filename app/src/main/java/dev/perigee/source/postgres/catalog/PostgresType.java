package dev.perigee.source.postgres.catalog;

import dev.perigee.source.postgres.decode.JsonForm;
import java.util.Optional;

/// A type as the catalog has it; for a domain, the type below all domains.
///
/// @param oid `pg_type.oid`
/// @param schema the type's schema, so that casts do not depend on the `search_path`
/// @param name `pg_type.typname`, never with modifiers
/// @param kind `pg_type.typtype`: `b` base, `c` composite, `e` enum, `r` range, `m` multirange
/// @param category `pg_type.typcategory`; `A` is an array
/// @param modifier `atttypmod`, or the domain's where the column has none; -1 for none
/// @param operators the schema of the operators in its default B-tree operator class, by which the source orders and
///     compares values; empty where it has none
/// @param structure what its text form contains, for a type whose values the copy stores as JSON
public record PostgresType(
        long oid,
        String schema,
        String name,
        char kind,
        char category,
        int modifier,
        Optional<String> operators,
        Optional<JsonForm> structure) {

    /// A base type of the server itself, of values that are neither compared nor looked up by number.
    static PostgresType builtIn(String name) {
        return new PostgresType(0, "pg_catalog", name, 'b', 'U', -1, Optional.empty(), Optional.empty());
    }

    PostgresType with(JsonForm form) {
        boolean isStructure = !(form instanceof JsonForm.Scalar scalar)
                || scalar == JsonForm.Scalar.MULTIRANGE
                || scalar == JsonForm.Scalar.HSTORE;
        return new PostgresType(
                oid, schema, name, kind, category, modifier, operators, isStructure ? Optional.of(form) : structure);
    }

    public boolean isOrdered() {
        return operators.isPresent();
    }

    public boolean isBuiltIn() {
        return schema.equals("pg_catalog");
    }
}
