package dev.perigee.source.postgres.catalog;

import dev.perigee.source.postgres.decode.JsonForm;
import dev.perigee.source.postgres.decode.JsonForm.Scalar;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The JSON forms of types, from the catalog: what an array's elements and a composite's attributes are, through all
/// domains.
final class CatalogForms {
    private static final Set<String> NUMBERS = Set.of("int2", "int4", "int8", "oid", "float4", "float8", "numeric");
    private static final Set<String> TIMES = Set.of("date", "time", "timetz", "timestamp", "timestamptz");

    /// Every type that values of the given types contain. A composite has one row for each attribute, with its name, in
    /// the order of their numbers. A domain's base type and an array's element type are in the row of the type itself.
    private static final String SELECT = """
            WITH RECURSIVE held (type) AS (
                SELECT x.type FROM unnest(?::pg_catalog.oid[]) AS x (type)
              UNION
                SELECT part.type FROM held
                JOIN pg_catalog.pg_type t ON t.oid = held.type
                CROSS JOIN LATERAL (
                    SELECT t.typbasetype WHERE t.typtype = 'd'
                  UNION ALL
                    SELECT e.oid FROM pg_catalog.pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid
                  UNION ALL
                    SELECT a.atttypid FROM pg_catalog.pg_attribute a
                    WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                ) AS part (type)
            )
            SELECT t.oid, n.nspname, t.typname, t.typtype, t.typbasetype, e.oid, e.typdelim, a.attname, a.atttypid
            FROM held
            JOIN pg_catalog.pg_type t ON t.oid = held.type
            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
            LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
            LEFT JOIN pg_catalog.pg_attribute a
                ON t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY t.oid, a.attnum
            """;

    private record Part(String name, long type) {}

    /// @param below a domain's base type or an array's element type; 0 for neither
    private record Held(String schema, String name, char kind, long below, char delimiter, List<Part> parts) {
        boolean isBuiltIn() {
            return schema.equals("pg_catalog");
        }
    }

    private final Map<Long, Held> types = new HashMap<>();

    private CatalogForms() {}

    /// @param types the OIDs of types, whether they are structures or not
    /// @throws SQLException where the source cannot be asked
    static CatalogForms of(Connection c, Collection<Long> types) throws SQLException {
        CatalogForms forms = new CatalogForms();
        if (types.isEmpty()) return forms;
        try (PreparedStatement statement = c.prepareStatement(SELECT)) {
            statement.setString(1, CatalogColumns.oids(types));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    Held held = forms.types.get(row.getLong(1));
                    if (held == null) held = held(row);
                    forms.types.put(row.getLong(1), held);
                    String part = row.getString(8);
                    if (part != null) held.parts().add(new Part(part, row.getLong(9)));
                }
            }
        }
        return forms;
    }

    private static Held held(ResultSet row) throws SQLException {
        String delimiter = row.getString(7);
        long below = delimiter == null ? row.getLong(5) : row.getLong(6);
        return new Held(
                row.getString(2),
                row.getString(3),
                row.getString(4).charAt(0),
                below,
                delimiter == null ? ' ' : delimiter.charAt(0),
                new ArrayList<>());
    }

    /// @param type one of the types that were asked for, or one that they contain
    JsonForm form(long type) {
        Held held = types.get(type);
        if (held == null) throw new IllegalStateException("no type of number " + type);
        if (held.kind() == 'd') return form(held.below());
        if (held.below() != 0) return new JsonForm.Array(form(held.below()), held.delimiter());
        if (held.kind() == 'c') {
            return new JsonForm.Composite(held.parts().stream()
                    .map(part -> new JsonForm.Field(part.name(), form(part.type())))
                    .toList());
        }
        return scalar(held);
    }

    private static JsonForm scalar(Held type) {
        if (type.kind() == 'm') return Scalar.MULTIRANGE;
        if (type.kind() != 'b') return Scalar.TEXT;
        if (!type.isBuiltIn()) {
            if (PostgresTypes.SPATIAL.contains(type.name())) return Scalar.BYTES;
            return type.name().equals("hstore") ? Scalar.HSTORE : Scalar.TEXT;
        }
        if (NUMBERS.contains(type.name())) return Scalar.NUMBER;
        if (TIMES.contains(type.name())) return Scalar.TIME;
        return switch (type.name()) {
            case "bool" -> Scalar.BOOLEAN;
            case "json", "jsonb" -> Scalar.JSON;
            case "bytea" -> Scalar.BYTES;
            case "bpchar" -> Scalar.PADDED;
            default -> Scalar.TEXT;
        };
    }
}
