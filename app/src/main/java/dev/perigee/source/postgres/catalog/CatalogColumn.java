package dev.perigee.source.postgres.catalog;

import dev.perigee.source.Expression;
import dev.perigee.source.Mask;

/// A column of a table as the catalog has it now.
///
/// @param number `attnum`, which a rename does not change
/// @param formattedType `format_type(atttypid, atttypmod)`: `numeric(12,2)`, or a domain's name
/// @param type the type below all domains
/// @param isStamped see [dev.perigee.source.SourceColumn#isStamped]
public record CatalogColumn(
        String name, int number, String formattedType, PostgresType type, boolean isNotNull, boolean isStamped) {
    /// The column that a mask makes of a column of the table.
    public static CatalogColumn of(Mask mask) {
        Expression.Type type = mask.expression().type();
        return new CatalogColumn(
                mask.column().name(),
                mask.column().identity(),
                type.written(),
                PostgresType.builtIn(type.name()),
                false,
                false);
    }

    CatalogColumn with(PostgresType otherType) {
        return new CatalogColumn(name, number, formattedType, otherType, isNotNull, isStamped);
    }
}
