package dev.perigee.source.postgres.catalog;

import dev.perigee.source.SourceTable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The names inside types on which the texts of values depend, although no row has them. These are labels of enums,
/// attributes of composites, and what the object identifier types (`regclass` and the like) name. `ALTER TYPE … RENAME`
/// changes them, and with them the text of every row, while no row is written.
final class CatalogParts {
    /// The most names of a column. Where a column has more, its names are not followed.
    private static final int MAX_NAMES = 20_000;

    /// The names for each column: labels of enums, attributes of composites, and objects of the database that a value
    /// may name. Only objects that users made count, because no others can be renamed.
    private static final String SELECT = """
            WITH RECURSIVE held (relation, number, type) AS (
                SELECT a.attrelid, a.attnum, a.atttypid FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = ANY (?::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
              UNION
                SELECT held.relation, held.number, part.type FROM held
                JOIN pg_catalog.pg_type t ON t.oid = held.type
                CROSS JOIN LATERAL (
                    SELECT t.typbasetype WHERE t.typtype = 'd'
                  UNION ALL
                    SELECT e.oid FROM pg_catalog.pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid
                  UNION ALL
                    SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
                  UNION ALL
                    SELECT a.atttypid FROM pg_catalog.pg_attribute a
                    WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                ) AS part (type)
            ), named (type, class) AS (
                VALUES ('regclass', 'c'), ('regtype', 't'), ('regproc', 'p'), ('regprocedure', 'p'),
                       ('regnamespace', 'n'), ('regrole', 'a'), ('regcollation', 'l'), ('regconfig', 'f'),
                       ('regdictionary', 'd'), ('regoper', 'o'), ('regoperator', 'o')
            ), objects (class, oid, name) AS (
                SELECT 'c', c.oid, n.nspname || '.' || c.relname
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relpersistence <> 't' AND n.nspname <> 'pg_toast'
              UNION ALL
                SELECT 't', t.oid, n.nspname || '.' || t.typname
                FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relpersistence = 't')
              UNION ALL
                SELECT 'p', p.oid, n.nspname || '.' || p.proname
                FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
              UNION ALL
                SELECT 'n', n.oid, n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname NOT LIKE 'pg_t%temp%'
              UNION ALL
                SELECT 'a', r.oid, r.rolname FROM pg_catalog.pg_roles r
              UNION ALL
                SELECT 'l', l.oid, n.nspname || '.' || l.collname
                FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
              UNION ALL
                SELECT 'f', f.oid, n.nspname || '.' || f.cfgname
                FROM pg_catalog.pg_ts_config f JOIN pg_catalog.pg_namespace n ON n.oid = f.cfgnamespace
              UNION ALL
                SELECT 'd', d.oid, n.nspname || '.' || d.dictname
                FROM pg_catalog.pg_ts_dict d JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace
              UNION ALL
                SELECT 'o', o.oid, n.nspname || '.' || o.oprname
                FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
            )
            SELECT held.relation, held.number, 'e' || e.oid, e.enumlabel::text
            FROM held JOIN pg_catalog.pg_enum e ON e.enumtypid = held.type
          UNION
            SELECT held.relation, held.number, 'c' || t.oid,
                   string_agg(concat(a.attnum, ' ', a.attname, ' ', a.atttypid), ',' ORDER BY a.attnum)
            FROM held JOIN pg_catalog.pg_type t ON t.oid = held.type AND t.typtype = 'c'
            JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            GROUP BY held.relation, held.number, t.oid
          UNION
            SELECT held.relation, held.number, 'r' || o.class || o.oid, o.name
            FROM held JOIN pg_catalog.pg_type t ON t.oid = held.type AND t.typnamespace = 'pg_catalog'::regnamespace
            JOIN named ON named.type = t.typname
            JOIN objects o ON o.class = named.class AND o.oid >= 16384""";

    /// What computes values when they are read: virtual generated columns (PostgreSQL 18 and later), and the rows of
    /// views and foreign tables.
    ///
    /// A view's own tree names objects by their numbers. So a rename beneath the view, which changes none of its
    /// values, does not change the tree. It is different for a view that reads whole rows: their column names may be
    /// among its values, and so they count. No relation is opened for this, as `pg_get_viewdef` would.
    private static final String COMPUTED = """
            WITH RECURSIVE asked (oid) AS (
                SELECT unnest(?::pg_catalog.oid[])
            ), %s, said (relation, what) AS (
                SELECT b.relation, concat_ws(' ', 'view', r.ev_class, r.ev_action)
                FROM beneath b JOIN pg_catalog.pg_class v ON v.oid = b.oid AND v.relkind = 'v'
                JOIN pg_catalog.pg_rewrite r ON r.ev_class = b.oid AND r.ev_type = '1'
                WHERE b.class = 'pg_catalog.pg_class'::regclass
              UNION ALL
                %s
              UNION ALL
                SELECT b.relation, concat_ws(' ', 'foreign', f.ftrelid, f.ftserver, f.ftoptions, s.srvoptions)
                FROM beneath b JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = b.oid
                JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
                WHERE b.class = 'pg_catalog.pg_class'::regclass
              UNION ALL
                SELECT b.relation, concat_ws(' ', 'virtual', d.adrelid, d.adnum, d.adbin)
                FROM beneath b JOIN pg_catalog.pg_attribute a ON a.attrelid = b.oid AND a.attgenerated = 'v'
                JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE b.class = 'pg_catalog.pg_class'::regclass
              UNION ALL
                SELECT b.relation, concat_ws(' ', 'column', a.attrelid, a.attnum, a.attname, a.atttypid)
                FROM beneath b JOIN pg_catalog.pg_attribute a ON a.attrelid = b.oid AND a.attnum > 0
                WHERE b.class = 'pg_catalog.pg_class'::regclass AND NOT a.attisdropped AND b.oid <> b.relation
                  AND EXISTS (
                    SELECT FROM beneath w JOIN pg_catalog.pg_rewrite r ON r.ev_class = w.oid AND r.ev_type = '1'
                    WHERE w.relation = b.relation AND w.class = 'pg_catalog.pg_class'::regclass
                      AND position(':varattno 0 ' IN r.ev_action::text) > 0)
            )
            SELECT a.attrelid, a.attnum, 'g', pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid IN (SELECT oid FROM asked) AND a.attgenerated = 'v' AND NOT a.attisdropped
          UNION ALL
            SELECT relation, %d, 'd', %s FROM said GROUP BY relation""".formatted(
                    UnderlyingRelations.beneath("c.oid IN (SELECT oid FROM asked) AND c.relkind IN ('v', 'f')", false),
                    UnderlyingRelations.FUNCTIONS,
                    SourceTable.ALL_ROWS,
                    UnderlyingRelations.FINGERPRINT);

    private CatalogParts() {}

    /// Whether the texts of this type's values may depend on names.
    static boolean mayBe(PostgresType type) {
        return !type.isBuiltIn() || type.name().startsWith("reg") || type.name().startsWith("_reg");
    }

    /// @return by relation and column number: each name, by what it names
    static Map<Long, Map<Integer, Map<String, String>>> of(Connection c, Collection<Long> relations)
            throws SQLException {
        Map<Long, Map<Integer, Map<String, String>>> parts = new HashMap<>();
        if (relations.isEmpty()) return parts;
        add(c, SELECT, relations, parts);
        parts.values().forEach(columns -> columns.values().removeIf(names -> names.size() > MAX_NAMES));
        return parts;
    }

    /// Adds what computes values when they are read. `SET EXPRESSION` of a virtual generated column and
    /// `CREATE OR REPLACE` of a view change all these values and write no row.
    static void addComputed(
            Connection c, Collection<Long> relations, Map<Long, Map<Integer, Map<String, String>>> parts)
            throws SQLException {
        add(c, COMPUTED, relations, parts);
    }

    private static void add(
            Connection c, String sql, Collection<Long> relations, Map<Long, Map<Integer, Map<String, String>>> parts)
            throws SQLException {
        try (PreparedStatement statement = c.prepareStatement(sql)) {
            statement.setString(1, CatalogColumns.oids(List.copyOf(relations)));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    parts.computeIfAbsent(row.getLong(1), _ -> new HashMap<>())
                            .computeIfAbsent(row.getInt(2), _ -> new HashMap<>())
                            .put(row.getString(3), row.getString(4));
                }
            }
        }
    }
}
