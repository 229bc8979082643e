package dev.perigee.source.postgres.catalog;

/// A column of a table as the catalog has it now.
///
/// @param number `attnum`, which a rename does not change
/// @param formattedType `format_type(atttypid, atttypmod)`: `numeric(12,2)`, or a domain's name
/// @param type the type below all domains
/// @param isStamped see [dev.perigee.source.SourceColumn#isStamped]
public record CatalogColumn(
        String name, int number, String formattedType, PostgresType type, boolean isNotNull, boolean isStamped) {
    CatalogColumn with(PostgresType otherType) {
        return new CatalogColumn(name, number, formattedType, otherType, isNotNull, isStamped);
    }
}
