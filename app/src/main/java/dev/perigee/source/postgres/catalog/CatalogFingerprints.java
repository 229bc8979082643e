package dev.perigee.source.postgres.catalog;

import dev.perigee.source.TableDefinition;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.session.KeptStatements;
import dev.perigee.source.postgres.session.RoundTrip;
import java.sql.Array;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;

/// Fingerprints of the catalog, by which a change of a table's definition is noticed without describing the table.
///
/// Each row of the catalog names the transaction that wrote it (`xmin`), so a fingerprint is made of these numbers and
/// of the numbers of rows. Statistics (ANALYZE, autovacuum) are written in place and change none. Temporary tables
/// change the whole catalog's fingerprint, not those of other tables.
public final class CatalogFingerprints {
    /// Catalogs whose rows belong to one table, each with the column that names the table and one that tells the rows
    /// of a table apart.
    private static final List<List<String>> OF_TABLES = List.of(
            List.of("pg_attribute", "attrelid", "attnum"),
            List.of("pg_index", "indrelid", "indexrelid"),
            List.of("pg_trigger", "tgrelid", "oid"),
            List.of("pg_attrdef", "adrelid", "oid"),
            List.of("pg_policy", "polrelid", "oid"),
            List.of("pg_subscription_rel", "srrelid", "srsubid"));

    /// What any table may use: types that name things inside them (enums, domains, composites), functions and schemas.
    private static final List<String> SHARED = List.of(
            sums("pg_enum AS t", "t.oid", "0", "true"),
            sums("pg_type AS t", "t.oid", "0", "t.oid >= 16384 AND t.typtype NOT IN ('b', 'c', 'p')"),
            sums("pg_class AS t", "t.oid", "0", "t.relkind = 'c'"),
            sums(
                    "pg_attribute AS t JOIN pg_catalog.pg_class c ON c.oid = t.attrelid AND c.relkind = 'c'",
                    "t.attrelid",
                    "t.attnum",
                    "true"),
            sums("pg_proc AS t", "t.oid", "0", "t.oid >= 16384 AND t.pronamespace >= 2200"),
            sums("pg_namespace AS t", "t.oid", "0", "t.nspname !~ '^pg_(toast_)?temp_'"));

    private static final String WHOLE = "SELECT concat_ws(' ', %s) FROM (%s) b"
            .formatted(
                    String.join(
                            ", ",
                            sums("pg_class AS t", "t.oid", "0", "t.oid >= 16384 AND t.relpersistence <> 't'"),
                            sums("pg_inherits AS t", "t.inhrelid", "t.inhparent::int8", "true"),
                            ofTables(">= 16384"),
                            String.join(", ", SHARED)),
                    base());

    private static final String TABLES =
            """
            WITH RECURSIVE b AS (%s), asked AS MATERIALIZED (
                SELECT w.n, c.oid
                FROM unnest(?::text[], ?::text[]) WITH ORDINALITY AS w (s, t, n)
                JOIN pg_catalog.pg_namespace s ON s.nspname = w.s
                JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = w.t
            ), tree (n, oid) AS (
                SELECT n, oid FROM asked
              UNION
                SELECT tree.n, i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
            ), parts AS (
                SELECT tree.n, concat(count(*), ':', sum(%s)) AS said
                FROM b, tree JOIN pg_catalog.pg_class t ON t.oid = tree.oid
                GROUP BY tree.n
                -- Rows of other servers change without a transaction here.
                HAVING NOT bool_or(t.relkind = 'f')
            ), shared AS MATERIALIZED (SELECT concat_ws(' ', %s) AS said FROM b)
            SELECT a.n, concat_ws(' ', a.oid, p.said, shared.said, %s), (
                       SELECT string_agg(concat(d.refobjsubid, '=', q.seqrelid), ',')
                       FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
                       WHERE d.classid = 'pg_catalog.pg_class'::regclass
                         AND d.refclassid = 'pg_catalog.pg_class'::regclass
                         AND d.refobjid = a.oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
                         AND q.seqincrement > 0 AND NOT q.seqcycle
                         AND has_sequence_privilege(q.seqrelid, 'USAGE, SELECT'))
            FROM b, shared, asked a JOIN parts p ON p.n = a.n""".formatted(base(), number("t.oid", "0"), String.join(", ", SHARED), ofTables("= a.oid"));

    private CatalogFingerprints() {}

    /// The fingerprint of the whole catalog.
    public static String whole(PgConnection session, KeptStatements kept) throws SQLException {
        try (RoundTrip.Answers answers = new RoundTrip(session, kept).ask(WHOLE).send()) {
            ResultSet row = answers.next();
            row.next();
            return row.getString(1);
        }
    }

    /// The definitions of tables. Left out are tables that do not exist, and those with parts on other servers.
    ///
    /// @param whole the whole catalog's fingerprint, read before this
    public static Map<TableId, TableDefinition> of(PgConnection session, String whole, List<TableId> tables)
            throws SQLException {
        Map<TableId, TableDefinition> definitions = new HashMap<>();
        try (PreparedStatement statement = session.prepareStatement(TABLES)) {
            statement.setArray(
                    1, texts(session, tables.stream().map(TableId::schema).toList()));
            statement.setArray(
                    2, texts(session, tables.stream().map(TableId::name).toList()));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    TableId table = tables.get(Math.toIntExact(row.getLong(1) - 1));
                    definitions.put(table, new TableDefinition(whole, row.getString(2), sequences(row.getString(3))));
                }
            }
        }
        return definitions;
    }

    private static Array texts(PgConnection session, List<String> texts) throws SQLException {
        return session.createArrayOf("text", texts.toArray());
    }

    /// @param said as in `1=16389,2=16391`
    private static Map<Integer, Long> sequences(@Nullable String said) {
        Map<Integer, Long> sequences = new HashMap<>();
        if (said == null) return sequences;
        for (String one : said.split(",")) {
            String[] halves = one.split("=");
            sequences.put(Integer.valueOf(halves[0]), Long.valueOf(halves[1]));
        }
        return sequences;
    }

    /// The [#sums] of the rows that belong to those tables whose number fits `condition`.
    private static String ofTables(String condition) {
        return OF_TABLES.stream()
                .map(one -> sums(
                        one.get(0) + " AS t",
                        "t." + one.get(1),
                        "t." + one.get(2) + "::int8",
                        "t.%s %s".formatted(one.get(1), condition)))
                .collect(Collectors.joining(", "));
    }

    /// The number and a fingerprint of those rows `t` of a catalog that `condition` selects.
    private static String sums(String from, String id, String part, String condition) {
        return "(SELECT concat(count(*), ':', sum(%s)) FROM pg_catalog.%s WHERE %s)"
                .formatted(number(id, part), from, condition);
    }

    /// A number made of a row's identity and of the transaction that wrote it. `age` is quicker than a cast of `xmin`
    /// by way of text; it is the same number for all transactions that VACUUM has frozen by rewriting the row.
    private static String number(String id, String part) {
        return """
                pg_catalog.hashint8extended((%s::int8 << 32) # CASE age(t.xmin) WHEN 2147483647 THEN 0 ELSE b.base - age(t.xmin) END, %s)""".formatted(id, part);
    }

    /// The distance from now of a transaction that stays the same, so that other ages can be told relative to it.
    private static String base() {
        return "SELECT age('3'::pg_catalog.xid)::int8 AS base";
    }
}
