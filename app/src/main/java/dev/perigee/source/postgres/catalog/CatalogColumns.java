package dev.perigee.source.postgres.catalog;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The columns of relations that the user may read, in the order of their numbers, with their types below all domains.
///
/// A domain's NOT NULL does not count as the column's: PostgreSQL's manual says that such a column may hold NULL.
final class CatalogColumns {
    private static final String SELECT = """
            WITH RECURSIVE typed AS (
                SELECT a.attrelid, a.attnum, a.attname, a.attnotnull, format_type(a.atttypid, a.atttypmod) AS formatted,
                       a.atttypid AS type, a.atttypmod AS modifier
                FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = ANY (?::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
                  AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
              UNION ALL
                SELECT d.attrelid, d.attnum, d.attname, d.attnotnull, d.formatted, t.typbasetype,
                       CASE WHEN d.modifier < 0 THEN t.typtypmod ELSE d.modifier END
                FROM typed d JOIN pg_catalog.pg_type t ON t.oid = d.type AND t.typtype = 'd'
            )
            SELECT d.attrelid, d.attnum, d.attname, d.attnotnull, d.formatted, t.oid, n.nspname, t.typname, t.typtype,
                   t.typcategory, d.modifier, (
                       -- Rows are compared with an operator of this name, whatever else the class may call its own.
                       SELECT v.nspname FROM pg_catalog.pg_opclass o
                       JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
                       JOIN pg_catalog.pg_amop p ON p.amopfamily = o.opcfamily AND p.amopstrategy = 5
                           AND p.amoplefttype = o.opcintype AND p.amoprighttype = o.opcintype
                       JOIN pg_catalog.pg_operator x ON x.oid = p.amopopr AND x.oprname = '>'
                       JOIN pg_catalog.pg_namespace v ON v.oid = x.oprnamespace
                       WHERE o.opcdefault AND (
                           o.opcintype = e.oid
                           OR o.opcintype = CASE e.typtype WHEN 'e' THEN 'anyenum'::regtype
                                                           WHEN 'r' THEN 'anyrange'::regtype
                                                           WHEN 'c' THEN 'record'::regtype
                                                           WHEN 'm' THEN to_regtype('anymultirange') END
                           OR EXISTS (SELECT FROM pg_catalog.pg_cast k
                                      WHERE k.castsource = e.oid AND k.casttarget = o.opcintype
                                        AND k.castmethod = 'b' AND k.castcontext = 'i'))
                       -- citext has operators of its own, and is text as well.
                       ORDER BY (o.opcintype = e.oid) DESC LIMIT 1),
                   -- Who writes its values, whoever inserts: a sequence behind GENERATED ALWAYS that hands each number out
                   -- once, in order, when it is asked, and not in blocks, which programs use up in later transactions;
                   -- or a trigger that sets the time of each insert and update. A DEFAULT gives way to any value. Not
                   -- where rows come from another server with the values they have there.
                   (EXISTS (SELECT FROM pg_catalog.pg_attribute i
                            JOIN pg_catalog.pg_depend p ON p.refobjid = i.attrelid AND p.refobjsubid = i.attnum
                            JOIN pg_catalog.pg_sequence q ON q.seqrelid = p.objid
                            WHERE i.attrelid = d.attrelid AND i.attnum = d.attnum AND i.attidentity = 'a'
                              AND p.classid = 'pg_catalog.pg_class'::regclass AND p.deptype IN ('a', 'i')
                              AND p.refclassid = 'pg_catalog.pg_class'::regclass
                              AND q.seqcache = 1 AND NOT q.seqcycle AND q.seqincrement = 1)
                    OR t.typname IN ('timestamp', 'timestamptz') AND EXISTS (
                        -- A row trigger before INSERT and UPDATE, for each row whatever is in it, whose function or
                        -- arguments name the column: others do something else.
                        SELECT FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
                        WHERE g.tgrelid = d.attrelid AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A')
                          AND g.tgtype & 23 = 23 AND g.tgqual IS NULL
                          AND position(lower(d.attname) IN lower(f.prosrc || encode(g.tgargs, 'escape'))) > 0))
                   AND NOT EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s WHERE s.srrelid = d.attrelid)
            FROM typed d
            JOIN pg_catalog.pg_type t ON t.oid = d.type AND t.typtype <> 'd'
            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
            -- An array is ordered where its elements are, and those may be of a domain again; int2vector and the like
            -- are arrays by category only.
            LEFT JOIN pg_catalog.pg_type a ON a.oid = t.typelem AND a.typarray = t.oid
            JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN a.typtype = 'd' THEN (
                WITH RECURSIVE below AS (
                    SELECT a.typbasetype AS type
                  UNION ALL
                    SELECT x.typbasetype FROM below JOIN pg_catalog.pg_type x ON x.oid = below.type AND x.typtype = 'd'
                )
                SELECT x.oid FROM below JOIN pg_catalog.pg_type x ON x.oid = below.type AND x.typtype <> 'd'
            ) ELSE coalesce(a.oid, t.oid) END
            ORDER BY d.attrelid, d.attnum
            """;

    /// The columns that may not be read. A table of which nothing may be read is left out, because it fails as a whole.
    private static final String UNREADABLE = """
            SELECT a.attrelid, a.attnum, a.attname FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = ANY (?::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
              AND NOT has_column_privilege(a.attrelid, a.attnum, 'SELECT')
              AND has_any_column_privilege(a.attrelid, 'SELECT')""";

    private record Found(long relation, CatalogColumn column) {}

    private CatalogColumns() {}

    /// @return the columns by relation; a relation without readable columns is not in the map
    static Map<Long, List<CatalogColumn>> of(Connection c, Collection<Long> relations) throws SQLException {
        List<Found> found = new ArrayList<>();
        try (PreparedStatement statement = c.prepareStatement(SELECT)) {
            statement.setString(1, oids(relations));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) found.add(new Found(row.getLong(1), column(row)));
            }
        }
        CatalogForms forms = CatalogForms.of(
                c,
                found.stream()
                        .map(one -> one.column().type())
                        .filter(PostgresTypes::mayBeStructure)
                        .map(PostgresType::oid)
                        .distinct()
                        .toList());
        Map<Long, List<CatalogColumn>> columns = new HashMap<>();
        for (Found one : found) {
            PostgresType type = one.column().type();
            CatalogColumn column = PostgresTypes.mayBeStructure(type)
                    ? one.column().with(type.with(forms.form(type.oid())))
                    : one.column();
            columns.computeIfAbsent(one.relation(), _ -> new ArrayList<>()).add(column);
        }
        return columns;
    }

    /// @return by relation and column number: the names of the columns that the user may not read
    static Map<Long, Map<Integer, String>> unreadable(Connection c, Collection<Long> relations) throws SQLException {
        Map<Long, Map<Integer, String>> unreadable = new HashMap<>();
        try (PreparedStatement statement = c.prepareStatement(UNREADABLE)) {
            statement.setString(1, oids(relations));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    unreadable
                            .computeIfAbsent(row.getLong(1), _ -> new HashMap<>())
                            .put(row.getInt(2), row.getString(3));
                }
            }
        }
        return unreadable;
    }

    /// An array of OIDs in PostgreSQL's text form.
    static String oids(Collection<Long> oids) {
        StringBuilder array = new StringBuilder("{");
        for (long oid : oids) array.append(array.length() == 1 ? "" : ",").append(oid);
        return array.append('}').toString();
    }

    private static CatalogColumn column(ResultSet row) throws SQLException {
        PostgresType type = new PostgresType(
                row.getLong(6),
                row.getString(7),
                row.getString(8),
                row.getString(9).charAt(0),
                row.getString(10).charAt(0),
                row.getInt(11),
                Optional.ofNullable(row.getString(12)),
                Optional.empty());
        return new CatalogColumn(
                row.getString(3), row.getInt(2), row.getString(5), type, row.getBoolean(4), row.getBoolean(13));
    }
}
