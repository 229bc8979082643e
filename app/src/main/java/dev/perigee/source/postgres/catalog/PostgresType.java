package dev.perigee.source.postgres.catalog;

import dev.perigee.source.postgres.decode.JsonForm;
import java.util.Optional;

/// A type as the catalog has it; of a domain, the type below all domains.
///
/// @param oid `pg_type.oid`
/// @param schema the schema it lives in, for casts that no `search_path` can bend
/// @param name `pg_type.typname`, never with modifiers
/// @param kind `pg_type.typtype`: `b` base, `c` composite, `e` enum, `r` range, `m` multirange
/// @param category `pg_type.typcategory`; `A` is an array
/// @param modifier `atttypmod`, or the domain's where the column has none; -1 for none
/// @param operators the schema of the operators of its default B-tree operator class, by which the source can order and
///     compare values; empty where it has none
/// @param structure what its text form holds, for a type whose values the copy keeps as JSON
public record PostgresType(
        long oid,
        String schema,
        String name,
        char kind,
        char category,
        int modifier,
        Optional<String> operators,
        Optional<JsonForm> structure) {

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
